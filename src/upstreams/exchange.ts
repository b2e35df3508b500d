import type { HttpTarget } from '../core/mcps/mcp.ts'
import { type Carried, carry, type Parcel } from './carry.ts'
import { CallFailed } from './connection.ts'
import { type Guard, readUrl } from './guard.ts'
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
  headers?: Record<string, string>
  body?: string
  signal: AbortSignal
  /** May stay open for hours. */
  lasting?: boolean
}

/** An answer of which only the head was read. Read it or cancel it: until then it holds a connection. */
export type Answered = {
  status: number
  header(name: string): string | null
  /** All of it; throws `TooLarge` beyond the limit. */
  text(): Promise<string>
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
  const ours: Record<string, string> = { 'User-Agent': userAgent, 'Accept-Encoding': 'identity' }
  const configured = sendable(fillInAll(target.headers, environment))
  if (Object.keys(configured).some((name) => name.toLowerCase() === 'user-agent')) delete ours['User-Agent']

  return async ({ method = 'POST', headers, body, signal, lasting = false }) => {
    const parcel: Parcel = { method, headers: { ...ours, ...headers, ...configured }, body, signal }
    let url = first
    for (let redirects = 0; ; redirects++) {
      const carried = await sent(guard, url, parcel, lasting)
      const location = carried.response.headers.get('location')
      if (!isRedirect(carried.response.status) || location === null) return answered(carried, limitBytes)
      discard(carried)
      url = nextUrl(url, location, carried.response.status, method)
      if (redirects === MOST_REDIRECTS) throw unreachable('The MCP server redirects too often.')
    }
  }
}

/** What belongs to the exchange itself is not for a definition to change. */
const OF_THE_EXCHANGE =
  /^(accept|accept-encoding|connection|content-.*|host|keep-alive|last-event-id|te|trailer|transfer-encoding|upgrade|mcp-(session-id|protocol-version|method|name))$/i

function sendable(headers: Record<string, string>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (OF_THE_EXCHANGE.test(name)) continue
    try {
      new Headers({ [name]: value })
    } catch {
      throw new CallFailed({
        code: 'upstream_unavailable',
        stage: 'start',
        message: `The header ${JSON.stringify(name)} cannot be sent: its name or value has characters that HTTP does not allow.`,
        unsent: true,
      })
    }
    kept[name] = value
  }
  return kept
}

async function sent(guard: Guard, url: string, parcel: Parcel, lasting: boolean): Promise<Carried> {
  const checked = guard(url)
  const destinations = checked instanceof Promise ? await checked : checked
  for (let at = 0; ; at++) {
    try {
      const carried = await carry(destinations[at]!, parcel, lasting)
      if (at > 0) destinations.unshift(...destinations.splice(at, 1)) // where somebody answered is tried first
      return carried
    } catch (error) {
      if (parcel.signal.aborted) throw error
      const failure = failureOf(error)
      if (!failure.unsent || at + 1 >= destinations.length) throw new CallFailed(failure)
    }
  }
}

function answered(carried: Carried, limitBytes: number): Answered {
  const { response, done } = carried
  const { headers } = response

  async function read(hear: (piece: Uint8Array) => unknown, limit: number): Promise<void> {
    if (!response.body) return done()
    const reader = response.body.getReader()
    let size = 0
    try {
      for (;;) {
        const piece = await reader.read()
        if (piece.done) return
        size += piece.value.length
        if (size > limit) throw new TooLarge('The answer is too large.')
        const settled = hear(piece.value)
        if (settled instanceof Promise) await settled
      }
    } catch (error) {
      reader.cancel().catch(() => {})
      throw error
    } finally {
      done()
    }
  }

  return {
    status: response.status,
    header: (name) => headers.get(name),
    async text() {
      const length = headers.get('content-length')
      if (length !== null && Number(length) <= limitBytes && headers.get('content-encoding') === null)
        return response.text().finally(done)
      const decoder = new TextDecoder()
      const parts: string[] = []
      await read((piece) => parts.push(decoder.decode(piece, { stream: true })), limitBytes)
      parts.push(decoder.decode())
      return parts.join('')
    },
    read(hear) {
      const stream = headers.get('content-type')?.startsWith('text/event-stream') ?? false
      return read(hear, stream ? Number.POSITIVE_INFINITY : limitBytes)
    },
    cancel: () => discard(carried),
  }
}

function discard({ response, done }: Carried): void {
  response.body?.cancel().catch(() => {})
  done()
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

const NOT_CONNECTED: Record<string, string> = {
  ECONNREFUSED: 'The MCP server cannot be reached: nothing accepts connections at its address.',
  ConnectionRefused: 'The MCP server cannot be reached: nothing accepts connections at its address.',
  ENOTFOUND: "The name in the MCP server's URL cannot be resolved.",
  EHOSTUNREACH: 'The MCP server cannot be reached: there is no route to its address.',
  ENETUNREACH: 'The MCP server cannot be reached: there is no route to its address.',
}

/** What a broken exchange means. Only when no connection came about is it certain that nothing was done. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CallFailed) return error.failure
  const code = String((error as { code?: unknown }).code)
  if (error instanceof TooLarge)
    return {
      code: 'upstream_unavailable',
      stage: 'call',
      message: "The MCP server's answer is too large.",
      unsent: false,
    }
  const refused = NOT_CONNECTED[code]
  if (refused) return unreachable(refused).failure
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER|UNKNOWN_CA/.test(code))
    return unreachable(`The MCP server's certificate is not accepted (${code}).`).failure
  return {
    code: 'upstream_unavailable',
    stage: 'call',
    message: 'The MCP server broke the connection off before it answered.',
    unsent: false,
  }
}

function unreachable(message: string): CallFailed {
  return new CallFailed({ code: 'upstream_unavailable', stage: 'connect', message, unsent: true })
}
