import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import { issue } from '../keys/issuing.ts'
import { type Environment, type Key, stateOf } from '../keys/key.ts'
import { isMcpScope } from '../keys/scopes.ts'
import type { NewKey } from '../keys/wishes.ts'
import { asOneLine } from '../one-line.ts'
import { reaches } from '../policy.ts'
import { invalid, Refusal } from '../refusal.ts'
import type { Secret } from '../secret.ts'
import type { KeyWithUse } from '../store.ts'
import { type ClientName, clientNamed } from './clients.ts'
import { whyOutOfReach } from './outside.ts'

const LIFE_MS = 90 * 86_400_000
const LONGEST_NAME = 100
const LOOKED_AT = 200

/** What a client's own key is to be like: another key, or (null) everything, or all of one MCP; and where it is used. */
export type Model = { like: Key | null; slug: string | null; environment: Environment; origin: string }

/** A client's own key: the secret of another cannot be shown again, and one can be taken back without the others. */
export async function issueFor(
  ctx: Context,
  caller: Caller & { kind: 'person' },
  workspaceId: string,
  client: ClientName,
  model: Model,
): Promise<{ key: Key; fullKey: Secret }> {
  const powers = powersFor(client, model, ctx.now())
  return issue(ctx, caller, workspaceId, { ...powers, name: nameFor(client, caller.user.name || caller.user.email) })
}

export function nameFor(client: ClientName, person: string): string {
  return [...`${clientNamed(client).label}, ${asOneLine(person)}`].slice(0, LONGEST_NAME).join('').trim()
}

/** Where nobody can come from outside, a client that knows another way takes that. */
export function sendsKeyInUrl(client: ClientName, origin: string): boolean {
  const { keyInUrl = false, orLocal = false } = clientNamed(client)
  return keyInUrl && !(orLocal && whyOutOfReach(origin) !== null)
}

/** A key that travels in a URL is seen by more eyes: it opens MCPs alone, and expires. */
function powersFor(
  client: ClientName,
  { like, slug, environment: usual, origin }: Model,
  now: Date,
): Omit<NewKey, 'name'> {
  const inUrl = sendsKeyInUrl(client, origin)
  if (like === null)
    return { ...fresh(slug), environment: usual, allowInUrl: inUrl, expiresAt: new Date(now.getTime() + LIFE_MS) }
  const state = stateOf(like, now)
  if (state !== 'active') throw new Refusal('conflict', `That key is ${state}. Connect with one that works.`)
  const { environment, type, scopes, mcpAccess, ipAllow, rateLimitPerMinute, quotaPerDay, expiresAt } = like
  const same = { environment, mcpAccess, ipAllow, rateLimitPerMinute, quotaPerDay }
  if (!inUrl) return { ...same, type, scopes, expiresAt, allowInUrl: false }
  const narrowed = type === 'unrestricted' ? ['mcp:*'] : scopes.filter(isMcpScope)
  if (narrowed.length === 0) throw invalid('key', 'That key opens no MCP, which is all that a key in a URL may do.')
  const end = Math.min(expiresAt?.getTime() ?? Number.POSITIVE_INFINITY, now.getTime() + LIFE_MS)
  return { ...same, type: 'restricted', scopes: narrowed, expiresAt: new Date(end), allowInUrl: true }
}

function fresh(slug: string | null): Omit<NewKey, 'name'> {
  return {
    scopes: ['mcp:*'],
    mcpAccess: slug === null ? { mode: 'all' } : { mode: 'selected', mcps: [{ slug, tools: null }] },
  }
}

/** The newest of somebody's own keys that works and opens what is asked for. */
export async function ownKeyFor(
  ctx: Context,
  caller: Caller & { kind: 'person' },
  workspaceId: string,
  { slug, environment }: Pick<Model, 'slug' | 'environment'>,
): Promise<KeyWithUse | null> {
  const query = { workspaceId, ownerId: caller.user.id, state: 'active', environment, now: ctx.now() } as const
  const { items } = await ctx.store.keys.list(query, { limit: LOOKED_AT, cursor: null })
  return items.find((key) => (slug === null ? opensAny(key) : reaches(key, slug))) ?? null
}

function opensAny({ type, scopes }: Key): boolean {
  return type === 'unrestricted' || scopes.some(isMcpScope)
}
