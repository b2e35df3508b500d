import type { IncomingMessage } from 'node:http'
import { Refusal } from '../core/refusal.ts'

const ONCE = new Set(['host', 'authorization', 'x-api-key', 'content-type', 'content-length'])
const LENGTHS = new Set([...ONCE].map(({ length }) => length))

/** node:http keeps the first of some repeated headers and joins others; two of these mean an attack or a mistake. */
export function refuseRepeatedHeaders(req: IncomingMessage): void {
  const raw = req.rawHeaders
  let met: string[] | null = null
  for (let i = 0; i < raw.length; i += 2) {
    if (!LENGTHS.has(raw[i]!.length)) continue // most names end here, unread
    const name = raw[i]!.toLowerCase()
    if (!ONCE.has(name)) continue
    met ??= []
    if (met.includes(name)) {
      if (name === 'authorization' || name === 'x-api-key')
        throw new Refusal('multiple_credentials', `The header ${name} came twice. Send one key, once.`)
      throw new Refusal('bad_request', `The header ${name} came twice. Send it once.`)
    }
    met.push(name)
  }
}
