import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Store } from '../core/store.ts'

/** The process lives (/healthz); it can do its work (/readyz). Answered to any host name: probes use addresses. */
export function health(store: Store, draining: () => boolean) {
  return async (path: string, req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    if (path !== '/healthz' && path !== '/readyz') return false
    const why = path === '/healthz' ? null : draining() ? 'shutting down' : await unwell(store)
    res.writeHead(why ? 503 : 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    res.end(req.method === 'HEAD' ? undefined : JSON.stringify(why ? { status: 'unavailable', why } : { status: 'ok' }))
    return true
  }
}

async function unwell(store: Store): Promise<string | null> {
  try {
    await store.probe()
    return null
  } catch {
    return 'the database cannot be written'
  }
}
