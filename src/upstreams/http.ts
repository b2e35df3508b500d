import type { HttpTarget } from '../core/mcps/mcp.ts'
import { asker } from './asker.ts'
import { cancelledId } from './cancelled.ts'
import { type Exchange, type HttpOptions, httpExchange, LIMIT_BYTES } from './exchange.ts'
import { Greeting } from './greeting.ts'
import { listenForUnasked } from './unasked.ts'
import type { Failure, OpenWire, SendOptions, Wire, WireEvents } from './wire.ts'

const MODERN = '2026-07-28'
const FAREWELL_MS = 1_000

/** Streamable HTTP as it was until 2025-11-25: a session, a POST for each message, a stream for what the server says unasked. */
export function httpWire(target: HttpTarget, options: HttpOptions): OpenWire {
  return async (events) => sessionWire(httpExchange(target, options), options.limitBytes ?? LIMIT_BYTES, events)
}

/** Streamable HTTP of 2026-07-28: each request stands alone, and hanging up cancels it. */
export function statelessWire(target: HttpTarget, options: HttpOptions): OpenWire {
  return async (events) => {
    const asking = asker(httpExchange(target, options), options.limitBytes ?? LIMIT_BYTES, events)
    asking.headers = { ...asking.headers, 'MCP-Protocol-Version': MODERN }
    return {
      send(text, options = {}) {
        if (options.id !== undefined) return void asking.ask(text, options.id, options)
        const cancelled = cancelledId(text) // there are no notifications to a server of this era
        if (cancelled !== null) asking.giveUp(cancelled)
      },
      async close() {
        asking.end(HUNG_UP)
      },
    }
  }
}

function sessionWire(exchange: Exchange, limit: number, events: WireEvents): Wire {
  const asking = asker(exchange, limit, events)
  const greeting = new Greeting()
  let closing: Promise<void> | null = null

  function say(text: string): void {
    const cancelled = cancelledId(text)
    if (greeting.drop(cancelled)) return
    greeting.said(asking.say(text))
    if (cancelled !== null) asking.giveUp(cancelled)
  }

  async function end(): Promise<void> {
    const { session, gone } = asking
    const headers = asking.headers
    asking.end(HUNG_UP)
    if (session === null || gone !== null) return
    const signal = AbortSignal.timeout(FAREWELL_MS)
    await exchange({ method: 'DELETE', headers, signal }).then(
      (answer) => answer.cancel(),
      () => {}, // the server forgets it some day
    )
  }

  return {
    send(text, options: SendOptions = {}) {
      const { id } = options
      if (id === undefined) say(text)
      else greeting.before(id, () => void asking.ask(text, id, options))
    },
    ready(protocolVersion) {
      greeting.due()
      asking.version = protocolVersion
      asking.headers = { ...asking.headers, 'MCP-Protocol-Version': protocolVersion }
      void listenForUnasked(exchange, asking, limit, events)
    },
    close() {
      closing ??= end()
      return closing
    },
  }
}

const HUNG_UP: Failure = {
  code: 'upstream_unavailable',
  stage: 'session',
  message: 'The connection to the MCP server was closed.',
  unsent: false,
}
