import type { Action, AuditEntry } from '../audit.ts'
import { type Caller, demand, mayDo } from '../caller.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../refusal.ts'
import type { KeyWithUse } from '../store.ts'
import { checkWithin } from './bounds.ts'
import type { Key } from './key.ts'

/** Which key is to change, who asks, and the revision they have read, if they say so. */
export type Target = {
  caller: Caller
  workspaceId: string
  id: string
  seen: number | undefined
  /** A key needs no power for this on itself. */
  byItself?: boolean
}

/** Reads, decides, writes; `act` gives nothing when another change came between, and all begins again. */
export async function changed<T>(
  ctx: Context,
  target: Target,
  act: (key: KeyWithUse) => Promise<T | null>,
): Promise<T> {
  for (;;) {
    const key = await forChange(ctx, target)
    const { seen } = target
    if (seen !== undefined && seen !== key.revision)
      throw new Refusal('precondition_failed', 'The key was changed meanwhile. Read it again and repeat the change.')
    const done = await act(key)
    if (done !== null) return done
  }
}

/** A key that the caller may change; another workspace's or another environment's does not exist for them. */
async function forChange(ctx: Context, { caller, workspaceId, id, byItself }: Target): Promise<KeyWithUse> {
  if (byItself && isItself(caller, id)) return keyOf(ctx, caller, workspaceId, id)
  demand(caller, 'keys.issue')
  const key = await keyOf(ctx, caller, workspaceId, id)
  if (!mayChange(caller, key))
    throw new Refusal('forbidden', 'You may change only your own keys. Ask an admin of this workspace.')
  if (caller.kind === 'program') checkWithin(caller.key, key)
  return key
}

/** Whether the key that asks is the one it asks about. */
export function isItself(caller: Caller, id: string): boolean {
  return caller.kind === 'program' && caller.key.id === id
}

export function mayChange(caller: Caller, key: Key): boolean {
  if (mayDo(caller, 'keys.all')) return true
  return mayDo(caller, 'keys.issue') && key.ownerId !== null && key.ownerId === ownerFor(caller)
}

export async function keyOf(ctx: Context, caller: Caller, workspaceId: string, id: string): Promise<KeyWithUse> {
  const key = await ctx.store.keys.byId(workspaceId, id)
  if (!key || (caller.kind === 'program' && key.environment !== caller.key.environment))
    throw new Refusal('not_found', 'There is no such key.')
  return key
}

export function ownerFor(caller: Caller): string | null {
  if (caller.kind === 'person') return caller.user.id
  return caller.kind === 'program' ? caller.key.ownerId : null
}

export function entryFor(
  ctx: Context,
  caller: Caller,
  action: Action,
  key: Key,
  before: AuditEntry['before'],
  after: AuditEntry['after'],
): AuditEntry {
  const subject = { kind: 'key', id: key.id, label: `${key.name} (${key.hint})` }
  return { chain: key.workspaceId, at: ctx.now(), actor: caller.actor, action, subject, before, after }
}

/** What the audit keeps of a key that comes or goes: everything but what the entry and its first line say themselves. */
export function recorded(key: Key | KeyWithUse): Record<string, unknown> {
  const { id: _id, workspaceId: _workspace, createdAt: _at, createdBy: _by, revision: _revision, ...rest } = key
  return rest
}
