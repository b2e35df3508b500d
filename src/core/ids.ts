import { randomBytes } from 'node:crypto'

export type IdKind = 'usr' | 'ses' | 'wsp' | 'inv' | 'key' | 'mcp' | 'rep' | 'req'

/** Sorts by time of making; the prefix tells a reader of a log what it names. No secret. */
export function newId(kind: IdKind, now: Date): string {
  return `${kind}_${timeText(now.getTime())}${random()}`
}

const LETTERS = 18
const IDS_IN_POOL = 256
let pool = ''
let used = 0

/** From a pool that is filled now and then: to ask the system for each id costs a microsecond of every request. */
function random(): string {
  if (used === pool.length) {
    pool = randomBytes((IDS_IN_POOL * LETTERS) / 2).toString('hex')
    used = 0
  }
  used += LETTERS
  return pool.slice(used - LETTERS, used)
}

let latest = { ms: Number.NaN, text: '' }

function timeText(ms: number): string {
  if (ms !== latest.ms) latest = { ms, text: ms.toString(36).padStart(9, '0') }
  return latest.text
}
