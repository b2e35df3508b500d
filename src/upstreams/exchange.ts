import type { HttpTarget } from '../core/mcps/mcp.ts'
import { type Carried, carry, type Parcel } from './carry.ts'
import { CallFailed } from './connection.ts'
import { type Destination, type Guard, readUrl } from './guard.ts'
import { NotConnected } from './http-line.ts'
import { requestFields } from './request-fields.ts'
import type { StopSignal } from './stop.ts'
import { unpacking } from './unpack.ts'
import { type Environment, fillInAll } from './variables.ts'
import type { Failure } from './wire.ts'

export type HttpOptions = {
  /** The server's own: where `${VAR}` in headers is looked up. */
  environment: Environment
  guard: Guard
  userAgent?: string
  limitBytes?: number
}

export type Question = {
  method?: Parcel['method']
  /** Made ready once for all questions that bring the same object. */
  headers?: Record<string, string>
  /** Of this question alone. */
  ownHeaders?: Record<string, string>
  body?: string
  signal: StopSignal
}

/** An answer of which only the head was read. Read it or cancel it: until then it holds a connection. */
export type Answered = {
  status: number
  header(name: string): string | null
  /** All of it, at once where it is here already; throws `TooLarge` beyond the limit. */
  text(): string | Promise<string>
  /** Piece by piece, as it comes; the next is awaited until `hear` has settled. A stream of events has no limit. */
  read(hear: (piece: Uint8Array) => unknown): Promise<void>
  cancel(): void
}

export type Exchange = (question: Question) => Promise<Answered>

export class TooLarge extends Error {
  override name = 'TooLarge'
}

export const LIMIT_BYTES = 32 * 1024 * 1024
const MOST_REDIRECTS = 3

/**
 * HTTP with one MCP server: one question, one answer handed over unread. Throws `CallFailed` for what never came to
 * an answer, and nothing at all is sent twice.
 */
export function httpExchange(target: HttpTarget, options: HttpOptions): Exchange {
  const { environment, guard, userAgent = 'claviger', limitBytes = LIMIT_BYTES } = options
  const first = readUrl(target.url).href
  const ours = { 'User-Agent': userAgent, 'Accept-Encoding': 'identity' }
  const fieldsOf = requestFields(ours, sendable(fillInAll(target.headers, environment)))

  return async ({ method = 'POST', headers = NONE, ownHeaders, body, signal }) => {
    const parcel: Parcel = { method, fields: fieldsOf(headers, ownHeaders), body, signal }
    let url = first
    for (let redirects = 0; ; redirects++) {
      const carried = await sent(guard, url, parcel)
      const location = isRedirect(carried.status) ? carried.fields.get('location') : undefined
      if (location === undefined) return new CarriedAnswer(carried, limitBytes)
      carried.cancel()
      url = nextUrl(url, location, carried.status, method)
      if (redirects === MOST_REDIRECTS) throw unreachable('The MCP server redirects too often.')
    }
  }
}

const NONE = {}
const UTF8 = new TextDecoder()

/** What belongs to the exchange itself is not for a definition to change. */
const OF_THE_EXCHANGE =
  /^(accept|accept-encoding|connection|content-.*|host|keep-alive|last-event-id|te|trailer|transfer-encoding|upgrade|mcp-(session-id|protocol-version|method|name))$/i

function sendable(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_EXCHANGE.test(name)))
}

/** By the first address of a name that can be connected to; that one is tried first from then on. */
async function sent(guard: Guard, url: string, parcel: Parcel): Promise<Carried> {
  const checked = guard(url)
  const destinations = checked instanceof Promise ? await checked : checked
  const order = [...destinations] // others change theirs meanwhile
  for (let at = 0; ; at++) {
    try {
      const carried = await carry(order[at]!, parcel)
      if (at > 0) prefer(order[at]!, destinations)
      return carried
    } catch (error) {
      if (parcel.signal.aborted) throw error
      const failure = failureOf(error)
      if (!failure.unsent || at + 1 >= order.length) throw new CallFailed(failure)
    }
  }
}

function prefer(one: Destination, among: Destination[]): void {
  among.splice(among.indexOf(one), 1)
  among.unshift(one)
}

class CarriedAnswer implements Answered {
  readonly status: number
  readonly #carried: Carried
  readonly #limitBytes: number

  constructor(carried: Carried, limitBytes: number) {
    this.status = carried.status
    this.#carried = carried
    this.#limitBytes = limitBytes
  }

  header(name: string): string | null {
    return this.#carried.fields.get(name) ?? null
  }

  text(): string | Promise<string> {
    const whole = this.#mayBePacked ? null : this.#carried.whole()
    if (whole === null) return this.#textLater()
    if (whole.length > this.#limitBytes) throw new TooLarge('The answer is too large.')
    return UTF8.decode(whole)
  }

  read(hear: (piece: Uint8Array) => unknown): Promise<void> {
    return this.#read(hear, isEventStream(this.#carried.fields) ? Number.POSITIVE_INFINITY : this.#limitBytes)
  }

  cancel(): void {
    this.#carried.cancel()
  }

  get #mayBePacked(): boolean {
    return this.#carried.fields.get('content-encoding') !== undefined
  }

  async #textLater(): Promise<string> {
    const pieces: Uint8Array[] = []
    await this.#read((piece) => void pieces.push(piece), this.#limitBytes)
    return UTF8.decode(Buffer.concat(pieces))
  }

  #read(hear: (piece: Uint8Array) => unknown, limit: number): Promise<void> {
    let size = 0
    const counted = (piece: Uint8Array) => {
      size += piece.length
      if (size > limit) throw new TooLarge('The answer is too large.')
      return hear(piece)
    }
    const unpack = unpacking(this.#carried.fields.get('content-encoding'))
    return unpack ? unpack(this.#carried, counted) : this.#carried.read(counted)
  }
}

function isEventStream(fields: Carried['fields']): boolean {
  return fields.get('content-type')?.startsWith('text/event-stream') ?? false
}

export function isStream(answer: Answered): boolean {
  return answer.status === 200 && (answer.header('content-type') ?? '').startsWith('text/event-stream')
}

function isRedirect(status: number): boolean {
  return status >= 301 && status <= 308 && status !== 304
}

/** Only within the same origin: our headers hold credentials. And never as another method: a GET calls no tool. */
function nextUrl(url: string, location: string, status: number, method: string): string {
  const next = URL.parse(location, url)
  if (!next || next.origin !== new URL(url).origin)
    throw unreachable(
      `The MCP server redirects to another address${next && next.origin !== 'null' ? `, ${next.origin}` : ''}. Is that its new one?`,
    )
  if (status === 303 && method !== 'GET') throw unreachable('The MCP server redirects to a page instead of answering.')
  next.username = ''
  next.password = ''
  next.hash = ''
  return next.href
}

const NOTHING_THERE = 'The MCP server cannot be reached: nothing accepts connections at its address.'
const NO_ROUTE = 'The MCP server cannot be reached: there is no route to its address.'
const NOT_CONNECTED: Record<string, string> = {
  ECONNREFUSED: NOTHING_THERE,
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  ENOTFOUND: "The name in the MCP server's URL cannot be resolved.",
  EPROTO: 'What answers at the URL of the MCP server does not speak https.',
}

/** What a broken exchange means. Only when no connection came about is it certain that nothing was done. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CallFailed) return error.failure
  if (error instanceof NotConnected) return unreachable(whyNot(error.code)).failure
  return {
    code: 'upstream_unavailable',
    stage: 'call',
    message:
      error instanceof TooLarge
        ? "The MCP server's answer is too large."
        : 'The MCP server broke the connection off before it answered.',
    unsent: false,
  }
}

function whyNot(code: string): string {
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER|UNKNOWN_CA/.test(code))
    return `The MCP server's certificate is not accepted (${code}).`
  return NOT_CONNECTED[code] ?? `The MCP server cannot be reached: no connection came about (${code}).`
}

function unreachable(message: string): CallFailed {
  return new CallFailed({ code: 'upstream_unavailable', stage: 'connect', message, unsent: true })
}
