import { Refusal } from '../core/refusal.ts'
import type { Incoming } from './messages.ts'

const KEYS = ['authorization', 'x-api-key']
const ONCE = ['host', ...KEYS, 'content-type', 'content-length']

/** Bun joins what came twice by commas. In none of these may one stand: two mean an attack or a mistake. */
export function refuseRepeatedHeaders({ headers }: Pick<Incoming, 'headers'>): void {
  for (const name of ONCE) if (headers[name]?.includes(',')) throw twice(name)
}

function twice(name: string): Refusal {
  return KEYS.includes(name)
    ? new Refusal('multiple_credentials', `The header ${name} came twice, or holds two. Send one key, once.`)
    : new Refusal('bad_request', `The header ${name} came twice. Send it once.`)
}
