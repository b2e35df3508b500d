import { randomBytes } from 'node:crypto'

export type IdKind = 'usr' | 'ses' | 'wsp' | 'inv' | 'key' | 'mcp' | 'req'

/** Sorts by time of making; the prefix tells a reader of a log what it names. No secret. */
export function newId(kind: IdKind, now: Date): string {
  return `${kind}_${now.getTime().toString(36).padStart(9, '0')}${randomBytes(9).toString('hex')}`
}
