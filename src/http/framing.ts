import type { IncomingMessage } from 'node:http'
import { Refusal } from '../core/refusal.ts'

const ONCE = new Set(['host', 'authorization', 'x-api-key', 'content-type', 'content-length'])
const KEYS = ['authorization', 'x-api-key']
const LENGTHS = new Set([...ONCE].map(({ length }) => length))

/** node:http keeps the first of some repeated headers and joins others; two of these mean an attack or a mistake. */
export function refuseRepeatedHeaders(req: IncomingMessage): void {
  const raw = req.rawHeaders as string[] | undefined
  if (!raw) return refuseJoinedHeaders(req)
  let met: string[] | null = null
  for (let i = 0; i < raw.length; i += 2) {
    if (!LENGTHS.has(raw[i]!.length)) continue // most names end here, unread
    const name = raw[i]!.toLowerCase()
    if (!ONCE.has(name)) continue
    met ??= []
    if (met.includes(name)) {
      throw twice(name)
    }
    met.push(name)
  }
  for (const name of KEYS) if (req.headers[name]?.includes(',')) throw twice(name)
}

/** Bun joins what came twice; in none of these may a comma stand for itself. */
function refuseJoinedHeaders({ headers }: IncomingMessage): void {
  for (const name of ONCE) if (headers[name]?.includes(',')) throw twice(name)
}

function twice(name: string): Refusal {
  return KEYS.includes(name)
    ? new Refusal('multiple_credentials', `The header ${name} came twice, or holds two. Send one key, once.`)
    : new Refusal('bad_request', `The header ${name} came twice. Send it once.`)
}
