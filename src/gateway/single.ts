import type { Mcp } from '../core/mcps/mcp.ts'
import { allows, refusalFor } from '../core/policy.ts'
import { asText } from '../core/text.ts'
import { CallFailed, type JsonObject, parsedAnswer } from '../upstreams/connection.ts'
import { METHOD_NOT_FOUND, ProtocolError } from './errors.ts'
import { forward } from './forward.ts'
import { listenHere } from './listen-here.ts'
import { LISTS, listResult, visible } from './lists.ts'
import { leaseFor, reachable } from './reach.ts'
import type { Session } from './sessions.ts'
import { subscribe } from './subscribe.ts'
import { answerTask, forwardNotingTask } from './tasks.ts'
import { type Gateway, paramsOf, type Turn } from './turn.ts'
import { agreedVersion, SUPPORTED } from './versions.ts'

const WHOLE_DAY_MS = 24 * 3_600_000

/** `/mcp/{slug}`: one server under its own names, everything it offers passed through. */
export function answerSingle(gateway: Gateway, turn: Turn, slug: string): string | Promise<string> {
  turn.note.mcp = slug
  if (turn.message.method === 'tools/call') {
    turn.note.tool = asText(paramsOf(turn).name)
    mustAllow(turn, slug, turn.note.tool) // scope is judged before the MCP is looked for
  }
  const mcp = reachable(gateway, turn.key, slug)
  return mcp instanceof Promise ? answerLater(gateway, turn, mcp) : answerAt(gateway, turn, mcp)
}

async function answerLater(gateway: Gateway, turn: Turn, reached: Promise<Mcp>): Promise<string> {
  return answerAt(gateway, turn, await reached)
}

function mustAllow({ key }: Turn, slug: string, tool: string | null): void {
  const refusal = refusalFor(key, { slug, tool })
  if (refusal) throw refusal
}

/** Most of what is asked are calls: for them nothing is made that the rest needs. */
function answerAt(gateway: Gateway, turn: Turn, mcp: Mcp): string | Promise<string> {
  return turn.message.method === 'tools/call' ? forwardNotingTask(gateway, turn, mcp) : answerOther(gateway, turn, mcp)
}

async function answerOther(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<string> {
  const { slug } = mcp
  const { method, id } = turn.message
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
    const { dedicated } = await leaseFor(gateway, turn, mcp)
    return dedicated ? forward(gateway, turn, mcp, method, paramsOf(turn)) : result({})
  }
  if (method.startsWith('tasks/')) return answerTask(gateway, turn, mcp)
  mustAllow(turn, slug, null)
  if (method === 'resources/subscribe' || method === 'resources/unsubscribe') return subscribe(gateway, turn, mcp)
  return forwardNotingTask(gateway, turn, mcp)
}

/** Methods that 2026-07-28 has taken out. */
export const GONE = new Set(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'])

export async function introduceSingle(
  gateway: Gateway,
  turn: Turn,
  session: Session,
  slug: string,
): Promise<JsonObject> {
  const lease = await leaseFor(gateway, turn, await reachable(gateway, turn.key, slug))
  session.uses(lease)
  const { hello } = lease
  const protocolVersion = agreedVersion(lease.dedicated ? hello.protocolVersion : session.introduction.protocolVersion)
  if (hello.era === 'legacy') return { ...hello.whole, protocolVersion }
  const { capabilities, serverInfo, instructions } = hello
  return { protocolVersion, capabilities, serverInfo, ...(instructions !== undefined && { instructions }) }
}

async function list(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<JsonObject> {
  const { kind, member } = LISTS[turn.message.method]!
  if (kind !== 'tools' && !allows(turn.key, { slug: mcp.slug, tool: null })) return listResult(turn.era, member, [])
  try {
    const message = parsedAnswer(await forward(gateway, turn, mcp, turn.message.method, turn.message.params))
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
  return listenHere(
    gateway,
    turn,
    (slug) => slug === mcp.slug,
    async () => mcp,
  )
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
