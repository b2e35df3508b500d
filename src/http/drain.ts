import type { Server, ServerResponse } from 'node:http'

export type Drain = {
  draining(): boolean
  begin(res: ServerResponse): void
  /** Stops listening, ends what would never end by itself, waits for what is in flight, then cuts what is left. */
  close(graceMs: number, endStreams: () => void): Promise<void>
}

export function drainOf(server: Server): Drain {
  const inFlight = new Set<ServerResponse>()
  let idle: (() => void) | null = null
  let closing = false
  return {
    draining: () => closing,
    begin(res) {
      inFlight.add(res)
      res.once('close', () => {
        inFlight.delete(res)
        if (inFlight.size === 0) idle?.()
      })
    },
    async close(graceMs, endStreams) {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      endStreams()
      if (inFlight.size > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, graceMs)
          idle = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      server.closeAllConnections()
      await closed
    },
  }
}
