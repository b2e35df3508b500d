import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Handler } from 'express'

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

export type Statics = {
  serve: Handler
  /** The address of a file under the hash of its content: cached for ever, and changed when the file is. */
  url(name: string): string
}

/** From memory: files embedded in the executable can be read but not streamed, so express.static answers 404. */
export function staticsIn(folder: string): Statics {
  const files = new Map(
    readdirSync(folder).map((name) => {
      const body = readFileSync(join(folder, name))
      return [
        name,
        {
          body,
          type: TYPES[extname(name)] ?? 'application/octet-stream',
          hash: createHash('sha256').update(body).digest('hex').slice(0, 12),
        },
      ]
    }),
  )
  return {
    url(name) {
      const file = files.get(name)
      if (!file) throw new Error(`There is no static file ${name}.`)
      return `/static/${name}?v=${file.hash}`
    },
    serve(req, res, next) {
      const file = req.method === 'GET' || req.method === 'HEAD' ? files.get(req.path.slice(1)) : undefined
      if (!file) return next()
      res.setHeader('Content-Type', file.type)
      res.setHeader('Cache-Control', req.query.v === file.hash ? 'public, max-age=31536000, immutable' : 'no-cache')
      res.send(file.body)
    },
  }
}
