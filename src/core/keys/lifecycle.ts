import type { Action, AuditEntry } from '../audit.ts'
import { type Caller, demand, mayDo } from '../caller.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { invalid, Refusal } from '../refusal.ts'
import type { Secret } from '../secret.ts'
import type { KeyChange, KeyWithUse } from '../store.ts'
import { checkAccess } from './access.ts'
import { checkRanges } from './addresses.ts'
import { checkWithin, type Reach } from './bounds.ts'
import { checkLifetime } from './expiry.ts'
import { hashOf, hintOf, newFullKey } from './format.ts'
import type { Environment, Key, KeyType, Maker, McpAccess } from './key.ts'
import { checkScopes, DEFAULT_SCOPES, isMcpScope } from './scopes.ts'

export const DEFAULT_RATE = 600
export const MOST_RATE = 1_000_000

/** What may be wished for a new key. Undefined and null alike mean: left out. */
export type NewKey = {
  name: string
  description?: string | null
  environment?: Environment | null
  type?: KeyType | null
  scopes?: string[] | null
  mcpAccess?: McpAccess | null
  ipAllow?: string[] | null
  rateLimitPerMinute?: number | null
  quotaPerDay?: number | null
  allowInUrl?: boolean | null
  notBefore?: Date | null
  expiresAt?: Date | null
}

export async function issue(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  wanted: NewKey,
): Promise<{ key: Key; fullKey: Secret }> {
  demand(caller, 'keys.issue')
  const now = ctx.now()
  const reach = reachOf(wanted, caller)
  checkLifetime(wanted.notBefore ?? null, reach.expiresAt)
  if (caller.kind === 'program') checkWithin(caller.key, reach)
  const fullKey = newFullKey(ctx.brand, reach.environment)
  const key: Key = {
    ...reach,
    id: newId('key', now),
    workspaceId,
    ownerId: ownerFor(caller),
    hint: hintOf(fullKey.reveal()),
    name: checkName(wanted.name),
    description: wanted.description || null,
    notBefore: wanted.notBefore ?? null,
    disabledAt: null,
    revokedAt: null,
    revokedReason: null,
    createdAt: now,
    createdBy: makerOf(caller),
    revision: 1,
  }
  await ctx.store.keys.add(
    key,
    hashOf(fullKey.reveal(), ctx.secrets),
    entryFor(ctx, caller, 'key.created', key, null, recorded(key)),
  )
  return { key, fullKey }
}

/** A program hands down its own bounds where the wish leaves them out. */
function reachOf(wanted: NewKey, caller: Caller): Reach {
  const own = caller.kind === 'program' ? caller.key : null
  const handedDown = own?.scopes.filter(isMcpScope)
  return {
    environment: wanted.environment ?? own?.environment ?? 'live',
    type: wanted.type ?? 'restricted',
    scopes: checkScopes(wanted.scopes ?? (handedDown?.length ? handedDown : DEFAULT_SCOPES)),
    mcpAccess: checkAccess(wanted.mcpAccess ?? own?.mcpAccess ?? { mode: 'all' }),
    ipAllow: checkRanges(wanted.ipAllow ?? own?.ipAllow ?? []),
    rateLimitPerMinute: checkRate(
      wanted.rateLimitPerMinute ?? Math.min(own?.rateLimitPerMinute ?? DEFAULT_RATE, DEFAULT_RATE),
    ),
    quotaPerDay: checkQuota(wanted.quotaPerDay ?? own?.quotaPerDay ?? null),
    allowInUrl: wanted.allowInUrl ?? false,
    expiresAt: wanted.expiresAt ?? own?.expiresAt ?? null,
  }
}

function checkName(name: string): string {
  const trimmed = name.trim()
  if (trimmed.length < 1 || [...trimmed].length > 100)
    throw invalid('name', 'Give the key a name of 1 to 100 characters.')
  return trimmed
}

function checkRate(rate: number): number {
  if (!Number.isInteger(rate) || rate < 1 || rate > MOST_RATE)
    throw invalid('rate_limit_per_minute', `The rate limit is a whole number from 1 to ${MOST_RATE}.`)
  return rate
}

function checkQuota(quota: number | null): number | null {
  if (quota !== null && (!Number.isSafeInteger(quota) || quota < 1))
    throw invalid('quota_per_day', 'The quota is a whole number from 1 up, or left out for none.')
  return quota
}

export type KeyEdit = Partial<Omit<NewKey, 'environment'>>

export async function edit(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  wanted: KeyEdit,
  seen?: number,
): Promise<Key> {
  return changed(ctx, caller, workspaceId, id, 'key.changed', seen, (key) => {
    if (key.revokedAt) throw new Refusal('conflict', 'A revoked key cannot be changed.')
    const change: KeyChange = {}
    if (wanted.name != null) change.name = checkName(wanted.name)
    if (wanted.description !== undefined) change.description = wanted.description || null
    if (wanted.type != null) change.type = wanted.type
    if (wanted.scopes != null) change.scopes = checkScopes(wanted.scopes)
    if (wanted.mcpAccess != null) change.mcpAccess = checkAccess(wanted.mcpAccess)
    if (wanted.ipAllow !== undefined) change.ipAllow = checkRanges(wanted.ipAllow ?? [])
    if (wanted.rateLimitPerMinute !== undefined)
      change.rateLimitPerMinute = checkRate(wanted.rateLimitPerMinute ?? DEFAULT_RATE)
    if (wanted.quotaPerDay !== undefined) change.quotaPerDay = checkQuota(wanted.quotaPerDay)
    if (wanted.allowInUrl != null) change.allowInUrl = wanted.allowInUrl
    if (wanted.notBefore !== undefined) change.notBefore = wanted.notBefore
    if (wanted.expiresAt !== undefined) change.expiresAt = wanted.expiresAt
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
  return changed(ctx, caller, workspaceId, id, 'key.disabled', seen, (key) => {
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
  return changed(ctx, caller, workspaceId, id, 'key.enabled', seen, (key) => {
    if (key.revokedAt) throw new Refusal('conflict', 'A revoked key cannot be enabled. Issue a new one.')
    return key.disabledAt ? { disabledAt: null } : null
  })
}

/** Final, and never blocked by anything but a lack of power. */
export async function revoke(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  reason: string | null,
  seen?: number,
): Promise<Key> {
  return changed(ctx, caller, workspaceId, id, 'key.revoked', seen, (key) =>
    key.revokedAt ? null : { revokedAt: ctx.now(), revokedReason: reason?.trim() || null },
  )
}

const RECENT_MS = 86_400_000

/** Gone for good; its audit stays. One that was used within a day is somebody's: that takes a second word. */
export async function removeKey(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  { confirmed, seen }: { confirmed: boolean; seen?: number },
): Promise<KeyWithUse> {
  const key = await forChange(ctx, caller, workspaceId, id)
  checkRevision(key, seen)
  const { lastUsedAt } = key
  if (!confirmed && lastUsedAt && ctx.now().getTime() - lastUsedAt.getTime() < RECENT_MS)
    throw new Refusal(
      'recently_used',
      `This key was last used at ${lastUsedAt.toISOString()}, within the last 24 hours. Revoke it, or confirm that it may go.`,
    )
  if (!(await ctx.store.keys.remove(key, entryFor(ctx, caller, 'key.deleted', key, recorded(key), null))))
    throw new Refusal('not_found', 'There is no such key.')
  return key
}

/** Reads, decides, writes; begins again when another change came between. `seen`: the revision the caller has read. */
async function changed(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  action: Action,
  seen: number | undefined,
  decide: (key: Key) => KeyChange | null,
): Promise<Key> {
  for (;;) {
    const key = await forChange(ctx, caller, workspaceId, id)
    checkRevision(key, seen)
    const change = decide(key)
    if (!change || Object.keys(change).length === 0) return key
    const after = await ctx.store.keys.change(
      key,
      change,
      entryFor(ctx, caller, action, key, ...difference(key, change)),
    )
    if (after) return after
  }
}

function checkRevision(key: Key, seen: number | undefined): void {
  if (seen !== undefined && seen !== key.revision)
    throw new Refusal('precondition_failed', 'The key was changed meanwhile. Read it again and repeat the change.')
}

/** A key that the caller may change; another workspace's or another environment's does not exist for them. */
async function forChange(ctx: Context, caller: Caller, workspaceId: string, id: string): Promise<KeyWithUse> {
  demand(caller, 'keys.issue')
  const key = await keyOf(ctx, caller, workspaceId, id)
  if (!mayChange(caller, key))
    throw new Refusal('forbidden', 'You may change only your own keys. Ask an admin of this workspace.')
  if (caller.kind === 'program') checkWithin(caller.key, key)
  return key
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

function ownerFor(caller: Caller): string | null {
  if (caller.kind === 'person') return caller.user.id
  return caller.kind === 'program' ? caller.key.ownerId : null
}

function makerOf({ kind, actor }: Caller): Maker {
  const made = { person: 'user', program: 'key', operator: 'cli' } as const
  return { kind: made[kind], id: actor.id, label: actor.label }
}

function entryFor(
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

function difference(key: Key, change: KeyChange): [Record<string, unknown>, Record<string, unknown>] {
  const names = Object.keys(change) as (keyof KeyChange)[]
  return [Object.fromEntries(names.map((name) => [name, key[name]])), change]
}

/** What the audit keeps of a key that comes or goes: everything but what the entry and its first line say themselves. */
function recorded(key: Key | KeyWithUse): Record<string, unknown> {
  const { id: _id, workspaceId: _workspace, createdAt: _at, createdBy: _by, revision: _revision, ...rest } = key
  return rest
}
