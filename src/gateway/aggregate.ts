import type { Mcp } from '../core/mcps/mcp.ts'
import { exposedName, looksHashed, splitName } from '../core/mcps/names.ts'
import type { NamedThing, Offer } from '../core/mcps/state.ts'
import { allows, mcpNotPermitted, reaches, refusalFor, toolNotPermitted } from '../core/policy.ts'
import { asText } from '../core/text.ts'
import { type Audience, audienceOf } from '../upstreams/audience.ts'
import type { JsonObject } from '../upstreams/connection.ts'
import { INVALID_PARAMS, METHOD_NOT_FOUND, ProtocolError } from './errors.ts'
import { forward } from './forward.ts'
import { listenHere } from './listen-here.ts'
import { LISTS, listResult, visible } from './lists.ts'
import { reachable } from './reach.ts'
import type { Session } from './sessions.ts'
import { GONE } from './single.ts'
import { subscribe } from './subscribe.ts'
import { type Gateway, paramsOf, type Turn } from './turn.ts'
import { agreedVersion, SUPPORTED } from './versions.ts'

const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
}

/** `/mcp`: all that the key may use, as one server. Most of what is asked are calls, so they go ahead of the rest. */
export function answerAggregate(gateway: Gateway, turn: Turn): Promise<string> {
  return turn.message.method === 'tools/call' ? callTool(gateway, turn) : answerOther(gateway, turn)
}

async function answerOther(gateway: Gateway, turn: Turn): Promise<string> {
  const { method, id } = turn.message
  const result = (value: JsonObject) => JSON.stringify({ jsonrpc: '2.0', id, result: value })
  if (Object.hasOwn(LISTS, method)) return result(await mergedList(gateway, turn))
  if (turn.era === 'legacy' && method === 'ping') return result({})
  if (turn.era === 'modern') {
    if (method === 'server/discover') return result(await discover(gateway, turn))
    if (method === 'subscriptions/listen')
      return listenHere(
        gateway,
        turn,
        () => true,
        (uri) => mcpOfResource(gateway, turn, uri),
      )
    if (GONE.has(method))
      throw new ProtocolError(404, METHOD_NOT_FOUND, `${method} is not part of this protocol version.`)
  }
  if (method === 'prompts/get') return getPrompt(gateway, turn)
  if (method === 'completion/complete') return complete(gateway, turn)
  if (method === 'logging/setLevel') return setLevel(turn, result({}))
  if (['resources/read', 'resources/subscribe', 'resources/unsubscribe'].includes(method))
    return withResource(gateway, turn)
  throw new ProtocolError(turn.era === 'modern' ? 404 : 200, METHOD_NOT_FOUND, `There is no method ${method} here.`)
}

export async function introduceAggregate(gateway: Gateway, key: Turn['key'], session: Session): Promise<JsonObject> {
  const instructions = await instructionsFor(gateway, key)
  return {
    protocolVersion: agreedVersion(session.introduction.protocolVersion),
    capabilities: CAPABILITIES,
    serverInfo: { name: 'claviger', version: gateway.version },
    ...(instructions && { instructions }),
  }
}

async function discover(gateway: Gateway, turn: Turn): Promise<JsonObject> {
  const instructions = await instructionsFor(gateway, turn.key)
  const { logging: _gone, ...capabilities } = CAPABILITIES
  return {
    resultType: 'complete',
    supportedVersions: SUPPORTED,
    capabilities,
    ...(instructions && { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'claviger', version: gateway.version } },
  }
}

/** Names alone: what each server is for, its tools say. */
async function instructionsFor(gateway: Gateway, key: Turn['key']): Promise<string | null> {
  const mcps = await reachableMcps(gateway, key)
  if (mcps.length === 0) return 'This key reaches no MCP server yet.'
  return `Tools and prompts are named {server}__{name}. Servers: ${mcps.map(({ slug, name }) => (slug === name ? slug : `${slug} (${name})`)).join(', ')}.`
}

/** In the order of their slugs, always: a model's prompt cache lives on it. */
async function reachableMcps(gateway: Gateway, { workspaceId, environment, ...reach }: Turn['key']): Promise<Mcp[]> {
  const mcps = await gateway.shelf.of(workspaceId)
  return [...mcps.values()].filter((mcp) => mcp.targets[environment] && reaches(reach, mcp.slug))
}

/** Some servers offer more to clients that they can ask something back. */
function audienceFor({ era, session, message }: Turn): Audience {
  const meta = message.params?._meta as JsonObject | undefined
  const declared = meta?.['io.modelcontextprotocol/clientCapabilities'] as JsonObject | undefined
  return audienceOf(era, session?.introduction.capabilities ?? declared)
}

async function mergedList(gateway: Gateway, turn: Turn): Promise<JsonObject> {
  const { key, era, message } = turn
  const { kind, member } = LISTS[message.method]!
  const mcps = (await reachableMcps(gateway, key)).filter(
    ({ slug }) => kind === 'tools' || allows(key, { slug, tool: null }),
  )
  const offers = await offersOf(gateway, turn, mcps)
  const things = mcps.flatMap((mcp, i) =>
    visible(key, mcp.slug, kind, offers[i]![kind]).map((thing) => exposed(mcp, kind, thing)),
  )
  return listResult(era, member, kind === 'resources' || kind === 'templates' ? firstOfEach(things) : things)
}

/** Mostly all are in memory: then nothing is waited for. */
async function offersOf({ catalogue }: Gateway, turn: Turn, mcps: Mcp[]): Promise<Offer[]> {
  const audience = audienceFor(turn)
  const offers = mcps.map((mcp) => catalogue.offer(mcp, turn.key.environment, audience))
  return offers.some((offer) => offer instanceof Promise) ? Promise.all(offers) : (offers as Offer[])
}

function exposed(mcp: Mcp, kind: keyof Offer, thing: NamedThing): NamedThing {
  return kind === 'tools' || kind === 'prompts' ? { ...thing, name: exposedName(mcp.slug, thing.name) } : thing
}

/** Where two servers offer one URI, the first answers for it. */
function firstOfEach(things: NamedThing[]): NamedThing[] {
  const seen = new Set<unknown>()
  return things.filter(({ uri, uriTemplate }) => {
    const address = uri ?? uriTemplate
    return !seen.has(address) && seen.add(address)
  })
}

function callTool(gateway: Gateway, turn: Turn): Promise<string> {
  const params = paramsOf(turn)
  const call = ({ mcp, name }: Meant) => forward(gateway, turn, mcp, 'tools/call', { ...params, name })
  const meant = meantBy(gateway, turn, 'tools', asText(params.name))
  return meant instanceof Promise ? meant.then(call) : call(meant)
}

async function getPrompt(gateway: Gateway, turn: Turn): Promise<string> {
  const params = paramsOf(turn)
  const { mcp, name } = await meantBy(gateway, turn, 'prompts', asText(params.name))
  return forward(gateway, turn, mcp, 'prompts/get', { ...params, name })
}

async function complete(gateway: Gateway, turn: Turn): Promise<string> {
  const params = paramsOf(turn)
  const ref = (params.ref ?? {}) as JsonObject
  if (ref.type === 'ref/prompt') {
    const { mcp, name } = await meantBy(gateway, turn, 'prompts', asText(ref.name))
    return forward(gateway, turn, mcp, 'completion/complete', { ...params, ref: { ...ref, name } })
  }
  return forward(gateway, turn, await mcpOfResource(gateway, turn, asText(ref.uri)), 'completion/complete', params)
}

/** A tool or a prompt under the server's own name for it. */
type Meant = { mcp: Mcp; name: string }
type Kind = 'tools' | 'prompts'

/** From the name that clients see; allowed or refused on the way, before anything is looked up. */
function meantBy(gateway: Gateway, turn: Turn, kind: Kind, seen: string): Meant | Promise<Meant> {
  const parts = splitName(seen)
  if (!parts) throw toolNotPermitted()
  const { slug, rest } = parts
  turn.note.mcp = slug
  if (kind === 'tools') turn.note.tool = rest
  return looksHashed(rest) && reaches(turn.key, slug)
    ? unhashed(gateway, turn, slug, kind, seen).then((name) => permitted(gateway, turn, slug, kind, name ?? rest))
    : permitted(gateway, turn, slug, kind, rest)
}

function permitted(gateway: Gateway, turn: Turn, slug: string, kind: Kind, name: string): Meant | Promise<Meant> {
  if (kind === 'tools') turn.note.tool = name
  const refusal = refusalFor(turn.key, { slug, tool: kind === 'tools' ? name : null })
  if (refusal) throw refusal
  const mcp = reachable(gateway, turn.key, slug)
  return mcp instanceof Promise ? mcp.then((read) => ({ mcp: read, name })) : { mcp, name }
}

async function unhashed(gateway: Gateway, turn: Turn, slug: string, kind: Kind, seen: string): Promise<string | null> {
  const { key } = turn
  const mcp = (await gateway.shelf.of(key.workspaceId)).get(slug)
  if (!mcp?.targets[key.environment]) return null
  const offer = await gateway.catalogue.offer(mcp, key.environment, audienceFor(turn))
  return offer[kind].find(({ name }) => exposedName(slug, name) === seen)?.name ?? null
}

async function withResource(gateway: Gateway, turn: Turn): Promise<string> {
  const uri = asText(paramsOf(turn).uri)
  const mcp = await mcpOfResource(gateway, turn, uri)
  if (turn.message.method !== 'resources/read') return subscribe(gateway, turn, mcp)
  return forward(gateway, turn, mcp, turn.message.method, turn.message.params)
}

/** The server that lists the URI, else one whose template fits, else the only one that has resources at all. */
async function mcpOfResource(gateway: Gateway, turn: Turn, uri: string): Promise<Mcp> {
  const { key } = turn
  const mcps = (await reachableMcps(gateway, key)).filter(({ slug }) => allows(key, { slug, tool: null }))
  if (mcps.length === 0) throw refusalFor(key, { slug: '*', tool: null }) ?? mcpNotPermitted()
  const offers = await offersOf(gateway, turn, mcps)
  const by = (fits: (offer: Offer) => boolean) => mcps.find((_, i) => fits(offers[i]!))
  const withAny = mcps.filter((_, i) => offers[i]!.resources.length + offers[i]!.templates.length > 0)
  const mcp =
    by(({ resources }) => resources.some((one) => one.uri === uri)) ??
    by(({ templates }) =>
      templates.some((one) => one.uriTemplate === uri || fitsTemplate(asText(one.uriTemplate), uri)),
    ) ??
    (withAny.length === 1 ? withAny[0] : undefined)
  if (!mcp)
    throw new ProtocolError(
      200,
      turn.era === 'modern' ? INVALID_PARAMS : -32002,
      'There is no such resource, or not for this key.',
      { uri },
    )
  turn.note.mcp = mcp.slug
  return mcp
}

/** RFC 6570, as far as routing needs it: each expression stands for some text. No pattern, whose time a caller could blow up. */
function fitsTemplate(template: string, uri: string): boolean {
  const [first, ...rest] = template.split(/\{[^}]*\}/)
  const last = rest.pop()
  if (last === undefined) return uri === first
  if (!uri.startsWith(first!)) return false
  let at = first!.length
  for (const part of rest) {
    const next = uri.indexOf(part, at + 1)
    if (next < 0) return false
    at = next + part.length
  }
  return uri.endsWith(last) && uri.length - last.length > at
}

async function setLevel(turn: Turn, done: string): Promise<string> {
  for (const lease of turn.session?.own() ?? [])
    if (lease.hello.capabilities.logging)
      lease.connection
        .call({ method: 'logging/setLevel', params: turn.message.params, timeoutMs: 10_000 })
        .catch(() => {})
  return done
}
