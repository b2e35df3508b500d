import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { Refusal } from '../refusal.ts'
import type { Secret } from '../secret.ts'
import { checkWithin } from './bounds.ts'
import { entryFor, ownerFor, recorded } from './changing.ts'
import { checkLifetime } from './expiry.ts'
import { hashOf, hintOf, newFullKey } from './format.ts'
import type { Key, Maker } from './key.ts'
import { checkDescription, checkName, type NewKey, reachOf } from './wishes.ts'

export async function issue(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  wanted: NewKey,
): Promise<{ key: Key; fullKey: Secret }> {
  const draft = draftFor(ctx, caller, workspaceId, wanted)
  const fullKey = newFullKey(ctx.brand, draft.environment)
  const key = { ...draft, hint: hintOf(fullKey.reveal()) }
  const entry = entryFor(ctx, caller, 'key.created', key, null, recorded(key))
  if (!(await ctx.store.keys.add(key, { hash: hashOf(fullKey.reveal(), ctx.secrets) }, entry)))
    throw new Refusal('conflict', 'This key exists already. Try again.')
  return { key, fullKey }
}

/** All of a new key but its secret and what tells of it, within what the caller may give. */
export function draftFor(ctx: Context, caller: Caller, workspaceId: string, wanted: NewKey): Key {
  demand(caller, 'keys.issue')
  const now = ctx.now()
  const reach = reachOf(wanted, caller)
  checkLifetime(wanted.notBefore ?? null, reach.expiresAt)
  if (caller.kind === 'program') checkWithin(caller.key, reach)
  return {
    ...reach,
    id: newId('key', now),
    workspaceId,
    ownerId: ownerFor(caller),
    hint: '',
    name: checkName(wanted.name),
    description: checkDescription(wanted.description),
    notBefore: wanted.notBefore ?? null,
    disabledAt: null,
    overlapEndsAt: null,
    revokedAt: null,
    revokedReason: null,
    createdAt: now,
    createdBy: makerOf(caller),
    revision: 1,
  }
}

function makerOf({ kind, actor }: Caller): Maker {
  const made = { person: 'user', program: 'key', operator: 'cli' } as const
  return { kind: made[kind], id: actor.id, label: actor.label }
}
