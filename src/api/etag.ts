import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { Refusal } from '../core/refusal.ts'

/**
 * The revision, and a hash of what is shown: a key's status, last use and count move without a change to the key.
 * If-Match reads the revision alone, so that a key in use can be changed.
 */
export function tagOf(revision: number, body: object): string {
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 12)
  return `"${revision}.${hash}"`
}

export function isKnown(req: Request, tag: string): boolean {
  const given = req.get('if-none-match')
  if (given === undefined) return false
  return given.trim() === '*' || given.split(',').some((one) => one.trim().replace(/^W\//, '') === tag)
}

/** Undefined: the change may happen whatever the revision. A weak or foreign tag fits none (RFC 9110 §13.1.1). */
export function revisionSeen(req: Request): number | undefined {
  const given = req.get('if-match')?.trim()
  if (given === undefined || given === '*') return undefined
  if (given.includes(',')) throw new Refusal('bad_request', 'Send one ETag in If-Match, or *.')
  return Number(/^"(\d{1,15})(?:\.[\w-]+)?"$/.exec(given)?.[1] ?? -1)
}
