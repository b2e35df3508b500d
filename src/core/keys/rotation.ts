import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal } from '../refusal.ts'
import type { Secret } from '../secret.ts'
import { changed, entryFor } from './changing.ts'
import { hashOf, hintOf, newFullKey } from './format.ts'
import { hasExpired, type Key, overlapIsOpen } from './key.ts'

export const DEFAULT_OVERLAP = 86_400
export const LONGEST_OVERLAP = 2_592_000

/** Another secret for the same key; the one before works until the overlap ends. Everything else stays as it is. */
export async function rotate(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  overlapSeconds = DEFAULT_OVERLAP,
  seen?: number,
): Promise<{ key: Key; fullKey: Secret }> {
  if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > LONGEST_OVERLAP)
    throw invalid('overlap_seconds', `The overlap is a whole number of seconds from 0 to ${LONGEST_OVERLAP}.`)
  return changed(ctx, { caller, workspaceId, id, seen }, async (key) => {
    const now = ctx.now()
    const why = whyNotRotated(key, now)
    if (why) throw new Refusal('conflict', why)
    const fullKey = newFullKey(ctx.brand, key.environment)
    const next = {
      hash: hashOf(fullKey.reveal(), ctx.secrets),
      hint: hintOf(fullKey.reveal()),
      overlapEndsAt: overlapSeconds > 0 ? new Date(now.getTime() + overlapSeconds * 1000) : null,
    }
    const told = { hint: next.hint, overlapEndsAt: next.overlapEndsAt }
    const entry = entryFor(ctx, caller, 'key.rotated', key, { hint: key.hint }, told)
    const after = await ctx.store.keys.rotate(key, next, now, entry)
    return after && { key: after, fullKey }
  })
}

/** Null if it may: a disabled or scheduled key gets another secret, which then waits with it. */
export function whyNotRotated(key: Key, now: Date): string | null {
  if (key.revokedAt) return 'A revoked key cannot be rotated: it is off for good. Issue a new one.'
  if (overlapIsOpen(key, now))
    return `This key is being rotated: two secrets work until ${key.overlapEndsAt.toISOString()}. Finish that rotation (finish-rotation), which ends the older secret, and rotate again.`
  if (hasExpired(key, now)) return 'This key has expired, and so would its new secret. Give it a new end first.'
  return null
}

/** Ends the overlap now: only the newest secret works. Without an overlap there is nothing to do. */
export async function finishRotation(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  seen?: number,
): Promise<Key> {
  return changed(ctx, { caller, workspaceId, id, seen }, async (key) => {
    const now = ctx.now()
    if (!overlapIsOpen(key, now)) return key
    const told = { oldLastUsedAt: key.oldLastUsedAt }
    const entry = entryFor(ctx, caller, 'key.rotation_finished', key, { overlapEndsAt: key.overlapEndsAt }, told)
    return ctx.store.keys.finishRotation(key, now, entry)
  })
}
