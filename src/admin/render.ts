import { Eta } from 'eta'
import type { Request, Response } from 'express'
import { viewsFolder } from '../assets.ts'
import type { Statics } from '../http/statics.ts'

export type Render = (req: Request, res: Response, view: string, data?: object) => void

export function renderer(statics: Statics, version: string, now: () => Date): Render {
  const eta = new Eta({ views: viewsFolder(), cache: true, autoTrim: false })
  return (req, res, view, data = {}) => {
    const always = { asset: statics.url, version, requestId: req.seen.id, now: now(), flash: null }
    const html = eta.render(`/${view}`, { ...always, ...data })
    res.setHeader('Content-Type', 'text/html; charset=utf-8')
    res.setHeader('Cache-Control', 'no-store')
    res.send(html)
  }
}
