import type { JSONRPCMessage, McpServerFactory, Transport } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Failure, OpenWire } from './wire.ts'

/** A server of our own, in this process: the same protocol in both eras, and nothing between that could break. */
export function builtinWire(serve: McpServerFactory): OpenWire {
  return async (events) => {
    let gone = false
    const transport: Transport = {
      async start() {},
      async send(message) {
        if (!gone) events.message(JSON.stringify(message), null)
      },
      async close() {
        if (gone) return
        gone = true
        transport.onclose?.()
        events.closed(HUNG_UP)
      },
    }
    const served = serveStdio(serve, { transport })
    return {
      send(text) {
        if (!gone) transport.onmessage?.(JSON.parse(text) as JSONRPCMessage)
      },
      close: () => served.close(),
    }
  }
}

const HUNG_UP: Failure = {
  code: 'upstream_unavailable',
  stage: 'session',
  message: 'The connection to the server was closed.',
  unsent: false,
}
