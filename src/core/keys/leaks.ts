import type { Actor } from '../audit.ts'
import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import { asPasted, hashOf } from './format.ts'
import type { Key } from './key.ts'

export const MOST_LEAKED = 100
const LEAKED = 'leaked'
const TOLD_FOR_MS = 7 * 86_400_000

/** Keys of the last days that are to be replaced, and looked after: whoever found them may have used them. */
export function leakedLately(ctx: Context, caller: Caller, workspaceId: string): Promise<Key[]> {
  demand(caller, 'keys.see')
  return ctx.store.keys.revokedFor(workspaceId, LEAKED, new Date(ctx.now().getTime() - TOLD_FOR_MS))
}

/**
 * Full keys that somebody found where they should not be. Whoever has a key may end it, so nobody is asked who they
 * are: each that still works, or might again, is revoked at once. What was found is for our own people alone.
 */
export async function reportLeaked(
  ctx: Context,
  from: { address: string; requestId: string },
  fullKeys: readonly string[],
): Promise<Key[]> {
  const now = ctx.now()
  const actor: Actor = { kind: 'system', id: null, label: 'leak report', ...from }
  const hashes = fullKeys.map((fullKey) => hashOf(asPasted(fullKey), ctx.secrets))
  return ctx.store.keys.revokeBySecret(hashes, now, LEAKED, (key) => ({
    chain: key.workspaceId,
    at: now,
    actor,
    action: 'key.revoked',
    subject: { kind: 'key', id: key.id, label: `${key.name} (${key.hint})` },
    before: { revokedAt: null, revokedReason: null },
    after: { revokedAt: now, revokedReason: LEAKED },
  }))
}
