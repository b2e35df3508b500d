import type { Mcp } from '../core/mcps/mcp.ts'
import { allows, mcpNotPermitted, reaches, refusalFor } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { CallFailed, type JsonObject, type Message } from '../upstreams/connection.ts'
import { LEGACY, NEWEST_LEGACY } from '../upstreams/handshake.ts'
import type { Lease } from '../upstreams/lease.ts'
import { METHOD_NOT_FOUND, ProtocolError } from './errors.ts'
import { forward, partyOf, unlessGone } from './forward.ts'
import { LISTS, listResult, visible } from './lists.ts'
import { SUPPORTED } from './modern.ts'
import type { Session } from './sessions.ts'
import { type Gateway, paramsOf, type Turn } from './turn.ts'

const WHOLE_DAY_MS = 24 * 3_600_000

/** `/mcp/{slug}`: one server under its own names, everything it offers passed through. */
export async function answerSingle(gateway: Gateway, turn: Turn, slug: string): Promise<string> {
  turn.note.mcp = slug
  if (turn.message.method === 'tools/call') {
    const refusal = refusalFor(turn.key, { slug, tool: String(paramsOf(turn).name ?? '') })
    if (refusal) throw refusal // scope is judged before the MCP is looked for
  }
  const mcp = await reachable(gateway, turn.key, slug)
  const { method, id } = turn.message
  const params = paramsOf(turn)
  const result = (value: JsonObject) => JSON.stringify({ jsonrpc: '2.0', id, result: value })

  if (Object.hasOwn(LISTS, method)) return result(await list(gateway, turn, mcp))
  if (turn.era === 'legacy' && method === 'ping') return result({})
  if (turn.era === 'modern') {
    if (method === 'server/discover') return result(await discover(gateway, turn, mcp))
    if (method === 'subscriptions/listen') return listen(gateway, turn, mcp)
    if (GONE.has(method))
      throw new ProtocolError(404, METHOD_NOT_FOUND, `${method} is not part of this protocol version.`)
  }
  if (method === 'logging/setLevel') {
    const lease = await leaseFor(gateway, turn, mcp)
    return lease.dedicated ? forward(gateway, turn, mcp, method, params) : result({})
  }
  const tool = method === 'tools/call' ? String(params.name ?? '') : null
  turn.note.tool = tool
  const refusal = refusalFor(turn.key, { slug, tool })
  if (refusal) throw refusal
  if (method === 'resources/subscribe') turn.session?.subscriptions.add(String(params.uri))
  if (method === 'resources/unsubscribe') turn.session?.subscriptions.delete(String(params.uri))
  return forward(gateway, turn, mcp, method, turn.message.params)
}

function leaseFor(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<Lease> {
  return unlessGone(gateway.pool.reach(mcp, turn.key.environment, partyOf(gateway, turn)), turn.signal)
}

/** Methods that 2026-07-28 has taken out. */
export const GONE = new Set(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'])

/** Not permitted and not there are one answer; then whether it can be reached in the key's environment. */
export async function reachable(gateway: Gateway, key: Turn['key'], slug: string): Promise<Mcp> {
  const mcp = reaches(key, slug) ? (await gateway.shelf.of(key.workspaceId)).get(slug) : undefined
  if (!mcp) throw mcpNotPermitted()
  if (!mcp.targets[key.environment]) {
    const other = key.environment === 'live' ? 'test' : 'live'
    throw new Refusal(
      'wrong_environment',
      `${slug} is there for ${other} keys only, and this is a ${key.environment} key. Use a ${other} key.`,
    )
  }
  return mcp
}

export async function introduceSingle(
  gateway: Gateway,
  turn: Turn,
  session: Session,
  slug: string,
): Promise<JsonObject> {
  const lease = await leaseFor(gateway, turn, await reachable(gateway, turn.key, slug))
  session.uses(lease)
  const { hello } = lease
  const protocolVersion = lease.dedicated ? hello.protocolVersion : agreedVersion(session.introduction.protocolVersion)
  if (hello.era === 'legacy') return { ...hello.whole, protocolVersion }
  const { capabilities, serverInfo, instructions } = hello
  return { protocolVersion, capabilities, serverInfo, ...(instructions !== undefined && { instructions }) }
}

export function agreedVersion(requested: string): string {
  return (LEGACY as readonly string[]).includes(requested) ? requested : NEWEST_LEGACY
}

async function list(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<JsonObject> {
  const { kind, member } = LISTS[turn.message.method]!
  if (kind !== 'tools' && !allows(turn.key, { slug: mcp.slug, tool: null })) return listResult(turn.era, member, [])
  try {
    const message = JSON.parse(await forward(gateway, turn, mcp, turn.message.method, turn.message.params)) as Message
    if (message.error) throw new ProtocolError(200, message.error.code, message.error.message, message.error.data)
    const { [member]: things, ...rest } = message.result as JsonObject
    return listResult(turn.era, member, visible(turn.key, mcp.slug, kind, Array.isArray(things) ? things : []), rest)
  } catch (error) {
    // The server is down: what it offered last is better than nothing, and its calls will say what is wrong.
    const known =
      error instanceof CallFailed && paramsOf(turn).cursor === undefined
        ? await gateway.catalogue.known(mcp, turn.key.environment)
        : null
    if (!known) throw error
    return listResult(turn.era, member, visible(turn.key, mcp.slug, kind, known.offer[kind]))
  }
}

async function discover(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<JsonObject> {
  const { hello } = await leaseFor(gateway, turn, mcp)
  if (hello.era === 'modern')
    return { ...hello.whole, supportedVersions: SUPPORTED, resultType: 'complete', cacheScope: 'private' }
  const { capabilities, serverInfo, instructions } = hello
  return {
    resultType: 'complete',
    supportedVersions: SUPPORTED,
    capabilities,
    ...(instructions !== undefined && { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
  }
}

async function listen(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<string> {
  const { hello } = await leaseFor(gateway, turn, mcp)
  if (hello.era === 'modern') {
    const params = { ...paramsOf(turn), notifications: wantedBy(turn, mcp.slug) }
    return forward(gateway, turn, mcp, turn.message.method, params, WHOLE_DAY_MS)
  }
  return listenHere(gateway, turn, (slug) => slug === mcp.slug)
}

/** What changes in prompts and resources is told to those who may use them. */
function wantedBy(turn: Turn, slug: string): JsonObject {
  const { resourceSubscriptions, resourcesListChanged, promptsListChanged, ...rest } = (paramsOf(turn).notifications ??
    {}) as JsonObject
  if (!allows(turn.key, { slug, tool: null })) return rest
  return {
    ...rest,
    ...(resourceSubscriptions !== undefined && { resourceSubscriptions }),
    ...(resourcesListChanged !== undefined && { resourcesListChanged }),
    ...(promptsListChanged !== undefined && { promptsListChanged }),
  }
}

/** Answered when the listening ends: until then what changes is told on the stream. */
export function listenHere(gateway: Gateway, turn: Turn, slugs: (slug: string) => boolean): Promise<string> {
  const { id } = turn.message
  const wants = (paramsOf(turn).notifications ?? {}) as Record<string, unknown>
  const forget = gateway.listeners.add({ key: turn.key, slugs, wants, id, reply: turn.reply })
  return new Promise((resolve) => {
    const end = () => {
      forget()
      resolve(JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete' } }))
    }
    if (turn.signal.aborted) end()
    else turn.signal.addEventListener('abort', end, { once: true })
  })
}
