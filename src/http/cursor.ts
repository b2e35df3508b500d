import { invalid } from '../core/refusal.ts'
import { hashToken, type Secrets } from '../core/secret.ts'

/** Where a list goes on, sealed: nobody can make one up, or use one list's cursor in another. */
export function sealCursor(secrets: Secrets, list: string, position: string): string {
  return Buffer.from(`${seal(secrets, list, position)}${position}`).toString('base64url')
}

export function openCursor(secrets: Secrets, list: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  const position = text.slice(SEAL_LENGTH)
  if (sealCursor(secrets, list, position) !== cursor)
    throw invalid('cursor', 'This is no cursor of this list. Take next_cursor from the answer before, as it is.')
  return position
}

const SEAL_LENGTH = 22

function seal(secrets: Secrets, list: string, position: string): string {
  return hashToken(secrets, `cursor\n${list}\n${position}`).slice(0, SEAL_LENGTH)
}
