import type { Store } from '../core/store.ts'
import type { Incoming, Outgoing } from './messages.ts'

/** The process lives (/healthz); it can do its work (/readyz). Answered to any host name: probes use addresses. */
export function health(store: Store, draining: () => boolean) {
  let wellUntil = 0

  /** Anybody may ask, and each answer is a write: a yes is remembered for a second. */
  async function unwell(): Promise<string | null> {
    if (performance.now() < wellUntil) return null
    const why = await reasonFor(store)
    if (why === null) wellUntil = performance.now() + 1000
    return why
  }

  async function answer(path: string, req: Incoming, res: Outgoing): Promise<true> {
    const why = path === '/healthz' ? null : draining() ? 'shutting down' : await unwell()
    res.writeHead(why ? 503 : 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    res.end(req.method === 'HEAD' ? undefined : JSON.stringify(why ? { status: 'unavailable', why } : { status: 'ok' }))
    return true
  }

  /** Null if the path is another. */
  return (path: string, req: Incoming, res: Outgoing): Promise<true> | null =>
    path === '/healthz' || path === '/readyz' ? answer(path, req, res) : null
}

async function reasonFor(store: Store): Promise<string | null> {
  try {
    await store.probe()
    return null
  } catch {
    return 'the database cannot be written'
  }
}
