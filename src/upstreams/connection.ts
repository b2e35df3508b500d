import { isDeep } from '../core/depth.ts'
import { answerId, answerIdBeside } from './answer-id.ts'
import { deadlines } from './deadlines.ts'
import type { StopSignal } from './stop.ts'
import type { Failure, OpenWire, Wire, WireEvents } from './wire.ts'

export type JsonObject = Record<string, unknown>

/** A message that was parsed, beside the text it came as. */
export type Message = {
  id?: unknown
  method?: string
  params?: JsonObject
  result?: unknown
  error?: { code: number; message: string; data?: unknown }
}

/** The answer as it came, still under our own id: `withId` gives it the caller's without reading the rest. */
export type Answer = { text: string; ownId: number }

export type Call = {
  method: string
  params: JsonObject | undefined
  /** Without an answer or a sign of progress. */
  timeoutMs: number
  headers?: Record<string, string>
  signal?: StopSignal
  /** What the server says about this call before it answers: progress, logs, its own requests. */
  aside?(message: Message): void
}

export type Ears = {
  /** A message that belongs to no single call. */
  unasked(message: Message): void
  closed(failure: Failure): void
  /** What was heard could not be dealt with, which is a mistake of ours. */
  broke(error: unknown): void
}

export type Connection = {
  call(call: Call): Promise<Answer>
  notify(method: string, params?: JsonObject): void
  /** Answers a request of the server's. */
  respond(
    id: unknown,
    outcome: { result: unknown } | { error: { code: number; message: string; data?: unknown } },
  ): void
  ready(protocolVersion: string): void
  inFlight(): number
  close(): Promise<void>
}

/** A call that got no answer: `failure` says why, in words that the workspace may read. */
export class CallFailed extends Error {
  override name = 'CallFailed'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** The caller hung up; nobody waits for an answer any more. */
export class Cancelled extends Error {
  override name = 'Cancelled'
}

/** What is nested deeper could not be written again. */
const MOST_DEPTH = 512

const TOO_DEEP: Failure = {
  code: 'upstream_unavailable',
  stage: 'call',
  message: "The MCP server's answer is nested too deep.",
  unsent: false,
}

/** For whoever must look into an answer, and not just pass it on. */
export function parsedAnswer(text: string): Message {
  if (isDeep(text, MOST_DEPTH)) throw new CallFailed(TOO_DEEP)
  return JSON.parse(text) as Message
}

class Pending {
  readonly id: number
  readonly call: Call
  readonly progressToken: unknown
  readonly startedAt = performance.now()
  /** When its patience ends, on the clock of `performance`. */
  until: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly #hangUp: (pending: Pending) => void

  constructor(
    id: number,
    call: Call,
    progressToken: unknown,
    { resolve, reject }: Pick<Pending, 'resolve' | 'reject'>,
    hangUp: (pending: Pending) => void,
  ) {
    this.id = id
    this.call = call
    this.progressToken = progressToken
    this.until = this.startedAt + call.timeoutMs
    this.resolve = resolve
    this.reject = reject
    this.#hangUp = hangUp
  }

  get headers() {
    return this.call.headers
  }

  get signal() {
    return this.call.signal
  }

  /** The caller is gone. */
  handleEvent(): void {
    this.#hangUp(this)
  }
}

const ONCE = { once: true }

/** Progress earns a call more time, but no server may hold one for ever: ten times its timeout, at most an hour. */
const LONGEST = { timeouts: 10, ms: 3_600_000 }

/** Many calls over one wire. Ids and progress tokens upstream are our own: callers' may be equal, and often are. */
export async function connectionOver(open: OpenWire, ears: Ears, stop?: AbortSignal): Promise<Connection> {
  const pending = new Map<number, Pending>()
  const clock = deadlines(pending, timeOut)
  let lastId = 0
  let gone: Failure | null = null

  const events: WireEvents = {
    message(text, exchange) {
      try {
        hear(text, exchange)
      } catch (error) {
        ears.broke(error) // thrown at the wire, it would end all that the wire hears
      }
    },
    failed(id, failure) {
      take(id)?.reject(new CallFailed(failure))
    },
    closed(failure) {
      if (gone) return
      gone = failure
      for (const id of [...pending.keys()]) take(id)!.reject(new CallFailed(failure))
      ears.closed(failure)
    },
  }
  const wire: Wire = await open(events, stop)

  function take(id: number): Pending | undefined {
    const entry = pending.get(id)
    if (!entry) return undefined
    pending.delete(id)
    entry.call.signal?.removeEventListener('abort', entry)
    return entry
  }

  function hear(text: string, exchange: number | null): void {
    const answered = answerId(text)
    if (answered !== null && pending.has(answered)) return take(answered)!.resolve({ text, ownId: answered })
    if (isDeep(text, MOST_DEPTH)) {
      const id = answerIdBeside(text, exchange)
      return id === null ? undefined : take(id)?.reject(new CallFailed(TOO_DEEP))
    }
    const message = parsed(text)
    if (!message) return
    for (const one of Array.isArray(message) ? (message as unknown[]) : [message])
      if (typeof one === 'object' && one !== null && !Array.isArray(one)) understand(one as Message, text, exchange)
  }

  function understand(message: Message, text: string, exchange: number | null): void {
    if (message.method === undefined) {
      const entry = typeof message.id === 'number' ? take(message.id) : undefined
      // An error without an id on a call's own exchange is that call's: there is nobody else it could mean.
      if (entry) entry.resolve({ text, ownId: message.id as number })
      else if (exchange !== null && message.error)
        take(exchange)?.resolve({ text: JSON.stringify({ ...message, id: exchange }), ownId: exchange })
      return
    }
    if (message.method === 'ping' && message.id !== undefined) return respond(message.id, { result: {} })
    const about = callMeant(message, exchange)
    if (!about) return ears.unasked(message)
    if (message.method === 'notifications/progress') {
      if (mayTakeLonger(about)) about.until = performance.now() + about.call.timeoutMs
      message = { ...message, params: { ...message.params, progressToken: about.progressToken } }
    }
    about.call.aside?.(message)
  }

  function callMeant(message: Message, exchange: number | null): Pending | undefined {
    if (message.method === 'notifications/progress') return pending.get(message.params?.progressToken as number)
    const subscription = (message.params?._meta as JsonObject | undefined)?.['io.modelcontextprotocol/subscriptionId']
    return pending.get((subscription as number | undefined) ?? exchange ?? -1)
  }

  function call(wanted: Call): Promise<Answer> {
    if (gone) return Promise.reject(new CallFailed({ ...gone, unsent: true }))
    if (wanted.signal?.aborted) return Promise.reject(new Cancelled())
    const id = ++lastId
    const { params, progressToken } = withOwnToken(wanted.params, id)
    const text = JSON.stringify({ jsonrpc: '2.0', id, method: wanted.method, params })
    const answered = Promise.withResolvers<Answer>()
    const entry = new Pending(id, wanted, progressToken, answered, hangUp)
    wanted.signal?.addEventListener('abort', entry, ONCE)
    pending.set(id, entry)
    clock.start()
    wire.send(text, entry)
    return answered.promise
  }

  function hangUp({ id, call, reject }: Pending): void {
    if (!take(id)) return
    cancel(id, call, 'the caller is gone')
    reject(new Cancelled())
  }

  function timeOut(id: number): void {
    const { call, reject, startedAt } = take(id)!
    cancel(id, call, 'timed out')
    reject(
      new CallFailed({
        code: 'upstream_timeout',
        stage: 'call',
        message: `The MCP server did not answer within ${Math.round((performance.now() - startedAt) / 1000)} s.`,
        unsent: false,
      }),
    )
  }

  function cancel(requestId: number, { method }: Call, reason: string): void {
    if (method !== 'initialize') notify('notifications/cancelled', { requestId, reason }) // which must not be cancelled
  }

  function notify(method: string, params?: JsonObject): void {
    if (!gone) wire.send(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  function respond(id: unknown, outcome: object): void {
    if (!gone) wire.send(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }))
  }

  return {
    call,
    notify,
    respond,
    ready: (protocolVersion) => wire.ready?.(protocolVersion),
    inFlight: () => pending.size,
    close: () => wire.close(),
  }
}

function mayTakeLonger({ call: { timeoutMs }, startedAt }: Pending): boolean {
  return performance.now() - startedAt + timeoutMs <= Math.min(LONGEST.timeouts * timeoutMs, LONGEST.ms)
}

function withOwnToken(
  params: JsonObject | undefined,
  id: number,
): { params: JsonObject | undefined; progressToken: unknown } {
  const meta = params?._meta as JsonObject | undefined
  if (meta?.progressToken === undefined) return { params, progressToken: undefined }
  return { params: { ...params, _meta: { ...meta, progressToken: id } }, progressToken: meta.progressToken }
}

function parsed(text: string): Message | Message[] | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Message) : null
  } catch {
    return null
  }
}

const START = '{"jsonrpc":"2.0","id":'

/**
 * The same answer under the caller's id; all but the id is passed on untouched where that can be done safely. An error
 * comes first, or right after the id.
 */
export function withId({ text, ownId }: Answer, callerId: unknown): string {
  const id = JSON.stringify(callerId)
  const start = `${START}${ownId},`
  if (
    text.startsWith(start) &&
    (text.startsWith('"result":', start.length) || text.startsWith('"error":', start.length))
  )
    return `${START}${id},${text.slice(start.length)}`
  const end = `"jsonrpc":"2.0","id":${ownId}}`
  if ((text.startsWith('{"result":') || text.startsWith('{"error":')) && text.endsWith(end))
    return `${text.slice(0, -end.length)}"jsonrpc":"2.0","id":${id}}`
  const { jsonrpc, id: _own, error, ...rest } = JSON.parse(text)
  return JSON.stringify({ jsonrpc, id: callerId, ...(error && { error }), ...rest })
}
