import type { HttpTarget } from '../core/mcps/mcp.ts'
import { cancelledId } from './cancelled.ts'
import { CallFailed } from './connection.ts'
import { type Answered, failureOf, type HttpOptions, httpExchange, isStream, LIMIT_BYTES } from './exchange.ts'
import { Greeting } from './greeting.ts'
import { EventTooLarge, sseReader } from './sse.ts'
import { Stop } from './stop.ts'
import type { Failure, OpenWire } from './wire.ts'

/** For the head of the stream and its first event together. */
const ENDPOINT_MS = 10_000
const OPEN = { Accept: 'text/event-stream' }

/** HTTP+SSE of 2024-11-05: one stream for all that the server says, whose first event names where to POST. */
export function oldSseWire(target: HttpTarget, options: HttpOptions & { endpointMs?: number }): OpenWire {
  return async (events, giveUp) => {
    const stop = new Stop()
    const tooLate = () => stop.abort()
    const late = setTimeout(tooLate, options.endpointMs ?? ENDPOINT_MS)
    giveUp?.addEventListener('abort', tooLate, { once: true })
    const inTime = () => {
      clearTimeout(late)
      giveUp?.removeEventListener('abort', tooLate)
    }
    const greeting = new Greeting()
    let gone: Failure | null = null
    let named: (endpoint: string | null) => void = () => {}
    const endpoint = new Promise<string | null>((resolve) => {
      named = resolve
    })

    const stream = await opened(httpExchange(target, options)({ method: 'GET', headers: OPEN, signal: stop })).catch(
      (error) => {
        inTime()
        throw stop.aborted ? new CallFailed(NOT_OLD) : error
      },
    )
    const hear = sseReader(options.limitBytes ?? LIMIT_BYTES, {
      event({ type, data }) {
        if (type === 'endpoint') named(data)
        else if (type === 'message') events.message(data, null)
      },
    })
    void stream.read(hear).then(
      () => closed(ENDED),
      (error) =>
        closed(error instanceof EventTooLarge ? { ...ENDED, message: "The MCP server's answer is too large." } : ENDED),
    )

    function closed(failure: Failure): void {
      named(null)
      if (gone) return
      gone = failure
      stop.abort()
      events.closed(failure)
    }

    const url = sameOrigin(target.url, await endpoint)
    inTime()
    if (url === null) {
      gone = NOT_OLD
      stop.abort()
      throw new CallFailed(NOT_OLD)
    }
    const post = httpExchange({ ...target, url }, options)

    async function send(text: string, id: number | undefined, headers: Record<string, string> = {}): Promise<void> {
      if (gone) {
        if (id !== undefined) events.failed(id, { ...gone, unsent: true })
        return
      }
      try {
        const answer = await post({
          headers: { ...headers, 'Content-Type': 'application/json' },
          body: text,
          signal: stop,
        })
        answer.cancel()
        if (answer.status >= 400 && id !== undefined)
          events.failed(id, {
            ...ENDED,
            stage: 'call',
            message: `The MCP server answered with HTTP status ${answer.status}.`,
          })
      } catch (error) {
        if (!stop.aborted && id !== undefined) events.failed(id, failureOf(error))
      }
    }

    return {
      send(text, { id, headers } = {}) {
        if (id !== undefined) greeting.before(id, () => void send(text, id, headers))
        else if (!greeting.drop(cancelledId(text))) greeting.said(send(text, id))
      },
      ready() {
        greeting.due()
      },
      async close() {
        closed({ ...ENDED, message: 'The connection to the MCP server was closed.' })
      },
    }
  }
}

async function opened(answering: Promise<Answered>): Promise<Answered> {
  const answer = await answering
  if (isStream(answer)) return answer
  answer.cancel()
  throw new CallFailed(NOT_OLD)
}

/** Our headers hold credentials: they go to nobody whom the server merely names. */
function sameOrigin(base: string, endpoint: string | null): string | null {
  const url = endpoint === null ? null : URL.parse(endpoint, base)
  return url && url.origin === new URL(base).origin ? url.href : null
}

const ENDED: Failure = {
  code: 'upstream_unavailable',
  stage: 'session',
  message: 'The MCP server ended its stream.',
  unsent: false,
}
const NOT_OLD: Failure = {
  code: 'upstream_unavailable',
  stage: 'handshake',
  message: 'The MCP server offers no stream of the HTTP+SSE transport.',
  unsent: true,
}
