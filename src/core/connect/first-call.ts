import type { ActivityLine } from '../activity.ts'
import type { Context } from '../context.ts'
import type { Key } from '../keys/key.ts'

const SILENCE_MS = 60_000
const LINES = 20

/** Since a key was shown: nobody came, somebody is through, or what was refused last. */
export type FirstCall =
  | { state: 'waiting' | 'quiet' }
  | { state: 'green'; client: string | null }
  | { state: 'refused'; outcome: string; at: Date; client: string | null; ip: string; mend: string }

const THROUGH = new Set<ActivityLine['outcome']>(['ok', 'tool_error', 'upstream_error'])

/** What clients try on their way to an understanding, and what no key is to blame for. */
const NO_NEWS = new Set<ActivityLine['outcome']>(['bad_request', 'not_found', 'cancelled', 'unsupported_media_type'])

const MENDING: Partial<Record<ActivityLine['outcome'], string>> = {
  url_key_not_allowed: 'The key came in the URL, where this one may not be sent. Give this client a key of its own.',
  ip_not_allowed: 'The key may not be used from this address. Change its addresses on its page.',
  wrong_environment: 'The server has no target for keys of this environment. Use a key of the other one.',
  insufficient_scope: 'The key lacks the scope for what was asked. Change its scopes on its page.',
  mcp_not_permitted: 'The key does not open that MCP, or there is none of that name. Look at its MCP access.',
  tool_not_permitted: 'The key does not open that tool, or there is none of that name. Look at its MCP access.',
  disabled_key: 'The key is disabled. Enable it on its page.',
  expired_key: 'The key has expired. Give it a later end on its page.',
  revoked_key: 'The key is revoked, for good. Issue another.',
  not_yet_valid: 'The key is not valid yet. Its page says from when on it is.',
  rate_limited: 'Too many requests came in a minute. Wait a little.',
  multiple_credentials: 'The client sends two keys, or one in two places. Leave one of them.',
  payload_too_large: 'The key is fine, but the message was larger than is allowed here.',
  shutting_down: 'Claviger was being stopped just then. Try again once it is back.',
  forbidden: 'The request names another address than ours, or comes from a page of another site.',
  quota_exceeded: 'The calls of this day are used up.',
  upstream_unavailable: 'The key is fine, but the MCP server behind it does not answer. Its page says why.',
  upstream_timeout: 'The key is fine, but the MCP server behind it took too long. Its page says more.',
}

export async function firstCallOf(ctx: Context, key: Key, since: Date): Promise<FirstCall> {
  const query = { workspaceId: key.workspaceId, keyId: key.id }
  const { items } = await ctx.store.activity.list(query, { limit: LINES, cursor: null })
  const news = items.filter(({ at, outcome }) => at >= since && !NO_NEWS.has(outcome))
  const through = news.find(({ outcome }) => THROUGH.has(outcome))
  if (through) return { state: 'green', client: through.client }
  const [refused] = news
  if (refused) {
    const { outcome, at, client, ip } = refused
    return {
      state: 'refused',
      outcome,
      at,
      client,
      ip,
      mend: MENDING[outcome] ?? 'Something went wrong here. Look into the log.',
    }
  }
  return { state: ctx.now().getTime() - since.getTime() < SILENCE_MS ? 'waiting' : 'quiet' }
}
