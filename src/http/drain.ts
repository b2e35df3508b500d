import type { Server, ServerResponse } from 'node:http'

export type Drain = {
  draining(): boolean
  begin(res: ServerResponse): void
  /** Ends what would never end by itself, stops listening, waits for what is in flight, then cuts what is left. */
  close(graceMs: number, endStreams: () => void): Promise<void>
}

export function drainOf(server: Server): Drain {
  const inFlight = new Set<ServerResponse>()
  let closing = false
  let look = () => {}

  function until(isSo: () => boolean, late: Promise<void>): Promise<void> {
    const so = new Promise<void>((resolve) => {
      look = () => void (isSo() && resolve())
    })
    look()
    return Promise.race([so, late])
  }

  return {
    draining: () => closing,
    begin(res) {
      inFlight.add(res)
      res.once('close', () => {
        inFlight.delete(res)
        look()
      })
    },
    async close(graceMs, endStreams) {
      closing = true
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, graceMs)
      endStreams()
      await until(() => ![...inFlight].some(isBeingSent), late)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      await until(() => inFlight.size === 0, late)
      clearTimeout(timer)
      server.closeAllConnections()
      await closed
    },
  }
}

/** Bun 1.4's `close` takes a connection for idle whose answer is complete, and cuts what its reader has not read yet. */
function isBeingSent(res: ServerResponse): boolean {
  return res.writableEnded && res.writableLength > 0
}
