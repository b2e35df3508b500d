import type { JSONRPCMessage, McpServerFactory, Transport } from '@modelcontextprotocol/server'
import type { Failure, OpenWire } from './wire.ts'

/** A server of our own, in this process: the same protocol in both eras, and nothing between that could break. */
export function builtinWire(load: () => Promise<McpServerFactory>): OpenWire {
  return async (events) => {
    const { serveStdio } = await import('@modelcontextprotocol/server/stdio') // many files, and often not needed
    const serve = await load()
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
