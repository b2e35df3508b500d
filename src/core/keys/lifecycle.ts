import type { Action } from '../audit.ts'
import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../refusal.ts'
import type { KeyChange, KeyWithUse } from '../store.ts'
import { checkWithin } from './bounds.ts'
import { changed, entryFor, recorded, type Target } from './changing.ts'
import { checkLifetime } from './expiry.ts'
import type { Key } from './key.ts'
import { changeOf, checkReason, type KeyEdit } from './wishes.ts'

export async function edit(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  wanted: KeyEdit,
  seen?: number,
): Promise<Key> {
  return altered(ctx, 'key.changed', { caller, workspaceId, id, seen }, (key) => {
    if (key.revokedAt) throw new Refusal('conflict', 'A revoked key cannot be changed.')
    const change = changeOf(wanted)
    const after = { ...key, ...change }
    checkLifetime(after.notBefore, after.expiresAt)
    if (caller.kind === 'program') checkWithin(caller.key, after)
    return change
  })
}

export async function disable(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  seen?: number,
): Promise<Key> {
  return altered(ctx, 'key.disabled', { caller, workspaceId, id, seen }, (key) => {
    if (key.revokedAt) throw new Refusal('conflict', 'A revoked key cannot be disabled: it is off for good.')
    return key.disabledAt ? null : { disabledAt: ctx.now() }
  })
}

export async function enable(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  seen?: number,
): Promise<Key> {
  return altered(ctx, 'key.enabled', { caller, workspaceId, id, seen }, (key) => {
    if (key.revokedAt) throw new Refusal('conflict', 'A revoked key cannot be enabled. Issue a new one.')
    return key.disabledAt ? { disabledAt: null } : null
  })
}

/** Final, and never blocked by anything but a lack of power; whoever holds a key may end that one. */
export async function revoke(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  reason: string | null,
  seen?: number,
): Promise<Key> {
  const why = checkReason(reason)
  return altered(ctx, 'key.revoked', { caller, workspaceId, id, seen, byItself: true }, (key) =>
    key.revokedAt ? null : { revokedAt: ctx.now(), revokedReason: why },
  )
}

const RECENT_MS = 86_400_000

export function usedRecently<K extends Pick<KeyWithUse, 'lastUsedAt'>>(
  key: K,
  now: Date,
): key is K & { lastUsedAt: Date } {
  return key.lastUsedAt !== null && now.getTime() - key.lastUsedAt.getTime() < RECENT_MS
}

/** Gone for good; its audit stays. One that was used within a day is somebody's: that takes a second word. */
export async function removeKey(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  { confirmed, seen }: { confirmed: boolean; seen?: number },
): Promise<KeyWithUse> {
  return changed(ctx, { caller, workspaceId, id, seen }, async (key) => {
    if (!confirmed && usedRecently(key, ctx.now()))
      throw new Refusal(
        'recently_used',
        `This key was last used at ${key.lastUsedAt.toISOString()}, within the last 24 hours. Revoke it, or confirm that it may go.`,
      )
    const entry = entryFor(ctx, caller, 'key.deleted', key, recorded(key), null)
    return (await ctx.store.keys.remove(key, entry)) ? key : null
  })
}

/** One or more fields of a key; nothing is written when nothing changes. */
async function altered(
  ctx: Context,
  action: Action,
  target: Target,
  decide: (key: Key) => KeyChange | null,
): Promise<Key> {
  return changed<Key>(ctx, target, async (key) => {
    const change = decide(key)
    if (!change || Object.keys(change).length === 0) return key
    return ctx.store.keys.change(key, change, entryFor(ctx, target.caller, action, key, ...difference(key, change)))
  })
}

function difference(key: Key, change: KeyChange): [Record<string, unknown>, Record<string, unknown>] {
  const names = Object.keys(change) as (keyof KeyChange)[]
  return [Object.fromEntries(names.map((name) => [name, key[name]])), change]
}
