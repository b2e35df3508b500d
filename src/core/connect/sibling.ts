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
export type Model = {
  like: Key | null
  /** Nobody has named that key: what it manages is no business of a client's. */
  picked?: boolean
  slug: string | null
  environment: Environment
  origin: string
}

/** A client's own key: the secret of another cannot be shown again, and one can be taken back without the others. */
export async function issueFor(
  ctx: Context,
  caller: Caller & { kind: 'person' },
  workspaceId: string,
  client: ClientName,
  model: Model,
): Promise<{ key: Key; fullKey: Secret }> {
  const powers = powersFor(client, model, ctx.now())
  const name = await freeNameFor(ctx, workspaceId, client, caller.user.name || caller.user.email)
  return issue(ctx, caller, workspaceId, { ...powers, name })
}

/** A name that no key has: the command line takes a key by its name. */
export async function freeNameFor(
  ctx: Context,
  workspaceId: string,
  client: ClientName,
  person: string,
): Promise<string> {
  for (let number = 1; ; number++) {
    const name = nameFor(client, person, number)
    if ((await ctx.store.keys.named(workspaceId, name)).length === 0) return name
  }
}

export function nameFor(client: ClientName, person: string, number = 1): string {
  const ending = number === 1 ? '' : ` ${number}`
  const whole = [...`${clientNamed(client).label}, ${asOneLine(person)}`]
  return (
    whole
      .slice(0, LONGEST_NAME - ending.length)
      .join('')
      .trim() + ending
  )
}

/** Where nobody can come from outside, a client that knows another way takes that. */
export function sendsKeyInUrl(client: ClientName, origin: string): boolean {
  const { keyInUrl = false, orLocal = false } = clientNamed(client)
  return keyInUrl && !(orLocal && whyOutOfReach(origin) !== null)
}

/** A key that travels in a URL is seen by more eyes: it opens MCPs alone, and expires. */
function powersFor(
  client: ClientName,
  { like, picked, slug, environment: usual, origin }: Model,
  now: Date,
): Omit<NewKey, 'name'> {
  const inUrl = sendsKeyInUrl(client, origin)
  if (like === null)
    return { ...fresh(slug), environment: usual, allowInUrl: inUrl, expiresAt: new Date(now.getTime() + LIFE_MS) }
  const state = stateOf(like, now)
  if (state !== 'active') throw new Refusal('conflict', `That key is ${state}. Connect with one that works.`)
  const { environment, mcpAccess, ipAllow, rateLimitPerMinute, quotaPerDay, expiresAt } = like
  const same = { environment, mcpAccess, ipAllow, rateLimitPerMinute, quotaPerDay }
  const handed = handedDown(like, inUrl || picked === true)
  if (!inUrl) return { ...same, ...handed, expiresAt, allowInUrl: false }
  if (handed.scopes?.length === 0)
    throw invalid('key', 'That key opens no MCP, which is all that a key in a URL may do.')
  const end = Math.min(expiresAt?.getTime() ?? Number.POSITIVE_INFINITY, now.getTime() + LIFE_MS)
  return { ...same, ...handed, expiresAt: new Date(end), allowInUrl: true }
}

/** What a key hands down to one that is like it: all that it may, or its MCPs alone. */
export function handedDown({ type, scopes }: Key, mcpsAlone: boolean): Pick<Key, 'type' | 'scopes'> {
  if (!mcpsAlone) return { type, scopes }
  return { type: 'restricted', scopes: type === 'unrestricted' ? ['mcp:*'] : scopes.filter(isMcpScope) }
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
