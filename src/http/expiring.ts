import type { Key } from '../core/keys/key.ts'
import type { Outgoing } from './messages.ts'

const NOTICE_MS = 7 * 86_400_000

/** In its last seven days a key's answers say when it ends, so that a client can warn its user. */
export function sayWhenExpiring(res: Pick<Outgoing, 'setHeader'>, { expiresAt }: Key, now: () => Date): void {
  if (expiresAt && expiresAt.getTime() - now().getTime() <= NOTICE_MS)
    res.setHeader('Claviger-Key-Expires', expiresAt.toISOString())
}
