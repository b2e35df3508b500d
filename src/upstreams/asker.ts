import { isAnswerTo } from './answer-id.ts'
import { type Answered, type Exchange, failureOf, isStream } from './exchange.ts'
import { pause } from './pause.ts'
import { EventTooLarge, sseReader } from './sse.ts'
import { Stop, type StopSignal } from './stop.ts'
import type { Failure, SendOptions, WireEvents } from './wire.ts'

const ONCE = { once: true }
const LINGER_MS = 5_000
const MOST_RESUMPTIONS = 5
const MOST_OF_A_REFUSAL_BYTES = 64 * 1024
const RESUME_MS = { first: 1_000, longest: 30_000 }

export type Asker = {
  headers: Record<string, string>
  session: string | null
  version: string | null
  gone: Failure | null
  /** Aborted when the wire ends. */
  ended: StopSignal
  ask(text: string, id: number, options: SendOptions): Promise<void>
  say(text: string): Promise<void>
  giveUp(id: number): void
  end(failure: Failure): void
}

export function asker(exchange: Exchange, limit: number, events: WireEvents): Asker {
  const inFlight = new Map<number, Stop>()
  const whole = new Stop()
  const asking: Asker = {
    headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
    session: null,
    version: null,
    gone: null,
    ended: whole,
    ask,
    say,
    giveUp: (id) => inFlight.get(id)?.abort(),
    end,
  }

  async function ask(text: string, id: number, { headers, signal }: SendOptions): Promise<void> {
    if (asking.gone) return events.failed(id, { ...asking.gone, unsent: true })
    if (signal?.aborted) return
    const stop = new Stop()
    signal?.addEventListener('abort', stop, ONCE)
    inFlight.set(id, stop)
    try {
      const question = { headers: asking.headers, ownHeaders: headers, body: text, signal: stop }
      await understand(await exchange(question), id, stop)
    } catch (error) {
      if (!stop.aborted) events.failed(id, atStage(failureOf(error)))
    } finally {
      inFlight.delete(id)
      signal?.removeEventListener('abort', stop)
    }
  }

  function understand(answer: Answered, id: number, stop: Stop): void | Promise<void> {
    if (asking.session === null && asking.version === null) rememberSession(answer)
    if (answer.status >= 400) return refused(answer, id)
    const type = answer.header('content-type') ?? ''
    if (type.startsWith('application/json')) {
      const text = answer.text()
      return text instanceof Promise ? text.then((read) => heard(read, id)) : heard(text, id)
    }
    if (type.startsWith('text/event-stream')) return follow(answer, id, stop)
    answer.cancel()
    events.failed(
      id,
      atStage({ ...NO_ANSWER, message: 'What answers at the URL of the MCP server does not speak MCP.' }),
    )
  }

  function heard(text: string, id: number): void {
    events.message(text, id)
    events.failed(id, NO_ANSWER) // of no effect when it was one
  }

  function rememberSession(answer: Answered): void {
    const session = answer.header('mcp-session-id')
    if (!session || !/^[\x21-\x7e]+$/.test(session)) return
    asking.session = session
    asking.headers = { ...asking.headers, 'Mcp-Session-Id': session }
  }

  async function refused(answer: Answered, id: number): Promise<void> {
    const text = await shortText(answer)
    if (meansLost(answer.status, text)) return lost(id)
    if (errorCode(text) !== null) events.message(text, id)
    events.failed(id, atStage(statusFailure(answer.status))) // of no effect when the message was the answer
  }

  /** The specification's sign is 404; many servers made after the SDK's first examples say 400 in these words. */
  function meansLost(status: number, text: string): boolean {
    if (asking.session === null) return false
    return status === 404 || (status === 400 && /session/i.test(text) && [-32000, -32001].includes(errorCode(text)!))
  }

  /** The other requests in flight were taken by the session while it lived: they may have been acted on. */
  function lost(id: number | null): void {
    if (asking.gone) return
    for (const other of inFlight.keys()) if (other !== id) events.failed(other, { ...LOST, unsent: false })
    if (id !== null) events.failed(id, LOST)
    end(LOST)
  }

  /** The events of one answer, across interruptions where the server numbers them (SEP-1699). */
  async function follow(first: Answered, id: number, stop: Stop): Promise<void> {
    let answer = first
    let answered = false
    let lastId: string | null = null
    let waitMs = RESUME_MS.first
    let linger: ReturnType<typeof setTimeout> | undefined
    for (let resumptions = 0; ; resumptions++) {
      const hear = sseReader(limit, {
        event({ data, type }) {
          if (type !== 'message') return
          if (!answered && isAnswerTo(id, data)) {
            answered = true
            linger = setTimeout(() => stop.abort(), LINGER_MS) // the server should have ended it
          }
          events.message(data, id)
        },
        id(given) {
          if (given !== lastId) resumptions = 0
          lastId = given
        },
        retry(milliseconds) {
          waitMs = Math.min(milliseconds, RESUME_MS.longest)
        },
      })
      let failure = CUT_SHORT
      try {
        await answer.read(hear)
      } catch (error) {
        if (error instanceof EventTooLarge) {
          stop.abort()
          return events.failed(id, TOO_LARGE)
        }
        if (stop.aborted) return
        failure = failureOf(error)
      } finally {
        clearTimeout(linger)
      }
      if (answered || stop.aborted) return
      if (lastId === null || asking.version === null || resumptions >= MOST_RESUMPTIONS)
        return events.failed(id, failure)
      await pause(waitMs, stop)
      const headers = { ...asking.headers, Accept: 'text/event-stream', 'Last-Event-ID': lastId }
      answer = await exchange({ method: 'GET', headers, signal: stop })
      if (isStream(answer)) continue
      answer.cancel()
      return events.failed(id, failure)
    }
  }

  async function say(text: string): Promise<void> {
    if (asking.gone) return
    try {
      const answer = await exchange({ headers: asking.headers, body: text, signal: whole })
      const said = await shortText(answer)
      if (answer.status >= 400 && meansLost(answer.status, said)) lost(null)
    } catch {
      // nobody waits for it, and the next request will meet the same obstacle
    }
  }

  function end(failure: Failure): void {
    if (asking.gone) return
    asking.gone = failure
    events.closed(failure)
    whole.abort()
    for (const stop of inFlight.values()) stop.abort()
  }

  function atStage(failure: Failure): Failure {
    return failure.stage === 'call' && asking.version === null ? { ...failure, stage: 'handshake' } : failure
  }

  return asking
}

/** Of a refusal or a receipt: no more than anybody would write. */
async function shortText(answer: Answered): Promise<string> {
  const length = Number(answer.header('content-length') ?? Number.NaN)
  if (length > MOST_OF_A_REFUSAL_BYTES || !/json|text\/plain/.test(answer.header('content-type') ?? '')) {
    answer.cancel()
    return ''
  }
  try {
    return await answer.text()
  } catch {
    return ''
  }
}

function errorCode(text: string): number | null {
  if (!text.startsWith('{')) return null
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown } }
    return typeof error?.code === 'number' ? error.code : null
  } catch {
    return null
  }
}

function statusFailure(status: number): Failure {
  const hint = status === 401 || status === 403 ? ' Are the credentials in its headers right?' : ''
  return {
    code: 'upstream_unavailable',
    stage: 'call',
    message: `The MCP server answered with HTTP status ${status}.${hint}`,
    unsent: false,
  }
}

const UNAVAILABLE = { code: 'upstream_unavailable', stage: 'call', unsent: false } as const

const NO_ANSWER: Failure = { ...UNAVAILABLE, message: 'The MCP server answered, but not to this request.' }
const CUT_SHORT: Failure = { ...UNAVAILABLE, message: 'The MCP server ended the stream before it answered.' }
const TOO_LARGE: Failure = { ...UNAVAILABLE, message: "The MCP server's answer is too large." }
const LOST: Failure = {
  ...UNAVAILABLE,
  stage: 'session',
  message: 'The MCP server does not know our session any more.',
  unsent: true,
}
