import { randomFillSync } from 'node:crypto'

export type IdKind = 'usr' | 'ses' | 'wsp' | 'inv' | 'key' | 'mcp' | 'rep' | 'req'

/** Sorts by time of making; the prefix tells a reader of a log what it names. No secret. */
export function newId(kind: IdKind, now: Date): string {
  return `${kind}_${now.getTime().toString(36).padStart(9, '0')}${random()}`
}

const BYTES = 9
const POOL = Buffer.alloc(BYTES * 256)
let used = POOL.length

/** From a pool that is filled now and then: to ask the system for each id costs a microsecond of every request. */
function random(): string {
  if (used === POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  used += BYTES
  return POOL.toString('hex', used - BYTES, used)
}
