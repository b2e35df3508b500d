import type { Mcp } from '../core/mcps/mcp.ts'
import { asText } from '../core/text.ts'
import {
  type Call,
  CallFailed,
  Cancelled,
  type JsonObject,
  type Message,
  parsedAnswer,
  withId,
} from '../upstreams/connection.ts'
import { envelope } from '../upstreams/handshake.ts'
import { headerValue } from '../upstreams/header-value.ts'
import type { Lease, Party, SessionParty } from '../upstreams/lease.ts'
import type { StopSignal } from '../upstreams/stop.ts'
import type { Session } from './sessions.ts'
import type { Gateway, Turn } from './turn.ts'

/** One request onward, and its answer under the caller's id, in the caller's era. */
export async function forward(
  gateway: Gateway,
  turn: Turn,
  mcp: Mcp,
  method: string,
  params: JsonObject | undefined,
  timeoutMs = mcp.timeoutSeconds * 1000,
): Promise<string> {
  for (let isAgain = false; ; isAgain = true) {
    if (turn.signal.aborted) throw new Cancelled() // a session that ended meanwhile opens nothing more
    const reached = gateway.pool.reach(mcp, turn.key.environment, partyOf(gateway, turn))
    const lease = reached instanceof Promise ? await unlessGone(reached, turn.signal) : reached
    turn.session?.uses(lease)
    const startedAt = performance.now()
    try {
      const answer = await lease.connection.call(new Onward(turn, lease, method, params, timeoutMs))
      turn.note.upstreamMs = performance.now() - startedAt
      const text = withId(answer, turn.message.id)
      return lease.hello.era === turn.era ? text : inEraOf(turn, text)
    } catch (error) {
      if (isAgain || !wasNeverSeen(error)) throw error
    }
  }
}

/** The caller's request as it is put to the server. */
class Onward implements Call {
  readonly method: string
  readonly params: JsonObject | undefined
  readonly timeoutMs: number
  readonly signal: StopSignal
  readonly #turn: Turn
  readonly #lease: Lease

  constructor(turn: Turn, lease: Lease, method: string, params: JsonObject | undefined, timeoutMs: number) {
    this.method = method
    this.params = paramsFor(turn, lease, params)
    this.timeoutMs = timeoutMs
    this.signal = turn.signal
    this.#turn = turn
    this.#lease = lease
  }

  get headers(): Record<string, string> | undefined {
    return this.#lease.hello.era === 'modern' ? headersFor(this.#turn, this.method, this.params) : undefined
  }

  aside(message: Message): void {
    aside(this.#turn, this.#lease, message)
  }
}

/** A lost session, or a dead process that never saw the request: begin again, once. Anything else may have acted. */
function wasNeverSeen(error: unknown): boolean {
  return error instanceof CallFailed && error.failure.unsent && error.failure.stage === 'session'
}

/** A caller who hangs up, or whose key ends, does not wait for a server that is slow to come. */
export function unlessGone<T>(work: T | Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Cancelled())
    if (signal.aborted) return gone()
    signal.addEventListener('abort', gone, { once: true })
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', gone))
  })
}

export function partyOf(gateway: Gateway, { era, key, session }: Pick<Turn, 'era' | 'key' | 'session'>): Party {
  if (!session) return { era, keyId: key.id, session: null }
  const known = parties.get(session)
  if (known) return known
  const party = { era, keyId: key.id, session: sessionParty(gateway, session) }
  parties.set(session, party)
  return party
}

/** A session keeps its key and its era as long as it lives. */
const parties = new WeakMap<Session, Party>()

function sessionParty(gateway: Gateway, session: Session): SessionParty {
  return {
    id: session.id,
    introduction: session.introduction,
    isOver: session.isOver,
    makesRoom() {
      if (!session.isIdle()) return false
      gateway.sessions.end(session)
      return true
    },
    unasked: (mcp, lease, message) => {
      if (message.id !== undefined) session.ask(lease, message, null)
      else gateway.listeners.hearAlone(mcp, session.key.environment, message, lease, session)
    },
  }
}

/** What the server says about this very call. Only a party with a connection of its own can be asked back. */
function aside(turn: Turn, lease: Lease, message: Message): void {
  if (message.id !== undefined) {
    if (turn.session && lease.dedicated) turn.session.ask(lease, message, turn.reply)
    else lease.connection.respond(message.id, { error: { code: -32601, message: 'This client cannot be asked.' } })
    return
  }
  const subscription = (message.params?._meta as JsonObject | undefined)?.['io.modelcontextprotocol/subscriptionId']
  if (subscription !== undefined) message = withSubscription(message, turn.message.id)
  if (
    turn.era === 'modern' &&
    lease.hello.era === 'legacy' &&
    message.method === 'notifications/message' &&
    !wantsLogs(turn)
  )
    return
  turn.reply.aside(message)
}

function withSubscription(message: Message, id: unknown): Message {
  const meta = { ...(message.params!._meta as JsonObject), 'io.modelcontextprotocol/subscriptionId': id }
  return { ...message, params: { ...message.params, _meta: meta } }
}

function wantsLogs(turn: Turn): boolean {
  return (turn.message.params?._meta as JsonObject | undefined)?.['io.modelcontextprotocol/logLevel'] !== undefined
}

const ENVELOPE = /^io\.modelcontextprotocol\/(protocolVersion|clientCapabilities|clientInfo|logLevel)$/

function paramsFor(turn: Turn, lease: Lease, params: JsonObject | undefined): JsonObject | undefined {
  if (lease.hello.era === turn.era) return params
  const meta = (params?._meta ?? {}) as JsonObject
  if (lease.hello.era === 'modern') {
    const clientInfo = turn.session?.introduction.clientInfo ?? {}
    return { ...params, _meta: { ...meta, ...envelope({ capabilities: {}, clientInfo }) } }
  }
  const kept = Object.entries(meta).filter(([name]) => !ENVELOPE.test(name))
  const { _meta, ...rest } = params ?? {}
  return kept.length > 0 ? { ...rest, _meta: Object.fromEntries(kept) } : rest
}

/** The headers that a server of 2026-07-28 compares with the body. */
function headersFor(turn: Turn, method: string, params: JsonObject | undefined): Record<string, string> {
  const headers: Record<string, string> = { 'Mcp-Method': method }
  const name = nameIn(method, params)
  if (name !== undefined) headers['Mcp-Name'] = headerValue(name)
  for (const header in turn.req.headers)
    if (header.startsWith('mcp-param-')) headers[header] = turn.req.headers[header] as string
  return headers
}

/** The member that `Mcp-Name` repeats, for the three methods that have one. */
export function nameIn(method: string, params: JsonObject | undefined): string | undefined {
  if (method === 'tools/call' || method === 'prompts/get') return asText(params?.name)
  if (method === 'resources/read') return asText(params?.uri)
  return undefined
}

/** Members that the caller's era demands and the server's does not know; the rest is not read. */
function inEraOf(turn: Turn, text: string): string {
  if (turn.era === 'legacy') return text
  const added = JSON.stringify(addedFor(turn.message.method)).slice(1, -1)
  for (const start of ['{"result":{', `{"jsonrpc":"2.0","id":${JSON.stringify(turn.message.id)},"result":{`])
    if (text.startsWith(start))
      return `${start}${added}${text[start.length] === '}' ? '' : ','}${text.slice(start.length)}`
  const message = parsedAnswer(text)
  if (message.result === undefined)
    return JSON.stringify(
      message.error?.code === -32002 ? { ...message, error: { ...message.error, code: -32602 } } : message,
    )
  return JSON.stringify({ ...message, result: { ...addedFor(turn.message.method), ...(message.result as object) } })
}

/** SEP-2549: what was read says how long it may be kept, and by whom; an older server has not said. */
function addedFor(method: string): JsonObject {
  const complete = { resultType: 'complete' }
  return method === 'resources/read' ? { ...complete, ttlMs: 0, cacheScope: 'private' } : complete
}
