import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const src = join(import.meta.dirname, '../../src')
const WRITTEN = /(?:set|get|remove)Header\(\s*'([^']+)'|'([A-Za-z]+(?:-[A-Za-z]+)*)':/g

/** Every name that an answer's header is given or looked for by, in the doors that answer by BunAnswer. */
function headerNames(): string[] {
  const files = ['app.ts', ...globSync('{http,gateway}/**/*.ts', { cwd: src })]
  const texts = files.map((file) => readFileSync(join(src, file), 'utf8'))
  return texts.flatMap((text) => [...text.matchAll(WRITTEN)].map(([, given, key]) => (given ?? key)!))
}

it('an answer looks for headers as they are written, and each is written in one way', () => {
  const spellings = new Map<string, Set<string>>()
  for (const name of headerNames()) {
    const known = spellings.get(name.toLowerCase()) ?? new Set()
    spellings.set(name.toLowerCase(), known.add(name))
  }
  expect([...spellings.keys()]).toEqual(expect.arrayContaining(['cache-control', 'content-type', 'x-request-id']))
  expect([...spellings.values()].filter((written) => written.size > 1)).toEqual([])
})
