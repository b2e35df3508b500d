import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import { reaches, refusalFor } from '../policy.ts'
import { type Code, Refusal } from '../refusal.ts'
import type { KeyQuery, KeyWithUse, Page, PageRequest } from '../store.ts'
import { addressIsIn } from './addresses.ts'
import { keyOf } from './changing.ts'
import { asPasted } from './format.ts'
import type { Key } from './key.ts'
import type { Ring } from './ring.ts'
import { covers, hasScope, isMcpScope, type ManagementScope } from './scopes.ts'
import { refusalOf, verify, whyNone } from './verify.ts'

/** For a program, no other environment than its own exists. */
export async function listKeys(
  ctx: Context,
  caller: Caller,
  query: Omit<KeyQuery, 'now'>,
  page: PageRequest,
): Promise<Page<KeyWithUse>> {
  demand(caller, 'keys.see')
  const own = caller.kind === 'program' ? caller.key.environment : undefined
  if (own && query.environment && query.environment !== own) return { items: [], nextCursor: null }
  return ctx.store.keys.list({ ...query, environment: own ?? query.environment, now: ctx.now() }, page)
}

export async function readKey(ctx: Context, caller: Caller, workspaceId: string, id: string): Promise<KeyWithUse> {
  demand(caller, 'keys.see')
  return keyOf(ctx, caller, workspaceId, id)
}

/** What somebody else's request with a key would be for; whatever is left out is not judged. */
export type Use = { mcp?: string | null; tool?: string | null; scope?: string | null; ip?: string | null }

export type Opinion = { code: 'ok' | Code; key: KeyWithUse | null }

/** Judges a key that a customer presented. Of keys elsewhere no more is said than of those that never were. */
export async function checkKey(
  ctx: Context,
  ring: Ring,
  caller: Caller,
  workspaceId: string,
  fullKey: string,
  use: Use,
): Promise<Opinion> {
  demand(caller, 'keys.see')
  const presented = asPasted(fullKey)
  const verdict = await verify(ring, ctx.secrets, presented, ctx.now())
  if (!verdict.ok && !verdict.key) return { code: refusalOf(verdict).code, key: null }
  const key = await keyOf(ctx, caller, workspaceId, verdict.key!.id).catch(nullIfUnknown)
  if (!key) return { code: refusalOf({ why: await whyNone(ring, presented) }).code, key: null }
  const refusal = verdict.ok ? refusalOfUse(key, use) : refusalOf(verdict)
  return { code: refusal?.code ?? 'ok', key }
}

function nullIfUnknown(error: unknown): null {
  if (error instanceof Refusal && error.code === 'not_found') return null
  throw error
}

/** Whether a good key may be used so. */
export function refusalOfUse(key: Key, { mcp, tool, scope, ip }: Use): Refusal | null {
  if (ip && key.ipAllow.length > 0 && !addressIsIn(key.ipAllow, ip))
    return new Refusal('ip_not_allowed', 'Not from this address.')
  if (scope && !holds(key, scope)) return new Refusal('insufficient_scope', `This key lacks the scope ${scope}.`)
  if (tool) return refusalOfTool(key, mcp ? [mcp] : slugsOf(key), tool)
  return mcp && !reaches(key, mcp) ? refusalFor(key, { slug: mcp, tool: null }) : null
}

function holds(key: Key, scope: string): boolean {
  if (!isMcpScope(scope)) return hasScope(key, scope as ManagementScope)
  return key.type === 'unrestricted' || covers(key.scopes, scope)
}

/** Null if one of the MCPs lets it be called; else the refusal that came closest. */
function refusalOfTool(key: Key, slugs: string[], tool: string): Refusal | null {
  const refusals = slugs.map((slug) => refusalFor(key, { slug, tool }))
  if (refusals.includes(null)) return null
  return refusals.find((refusal) => refusal!.code !== 'insufficient_scope') ?? refusals[0]!
}

/** Those that a key names in its access or its scopes; without any, one that nobody names. */
function slugsOf({ mcpAccess, scopes }: Key): string[] {
  const named =
    mcpAccess.mode === 'selected'
      ? mcpAccess.mcps.map(({ slug }) => slug)
      : scopes.filter(isMcpScope).map((scope) => scope.split(':')[1]!)
  return [...named, '']
}
