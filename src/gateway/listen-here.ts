import type { Mcp } from '../core/mcps/mcp.ts'
import { leaseFor } from './reach.ts'
import { type Gateway, paramsOf, type Turn } from './turn.ts'

const MOST_RESOURCES = 100

/** Answered when the listening ends: until then what changes is told on the stream. */
export function listenHere(
  gateway: Gateway,
  turn: Turn,
  slugs: (slug: string) => boolean,
  offering: (uri: string) => Promise<Mcp>,
): Promise<string> {
  const { id } = turn.message
  const wants = (paramsOf(turn).notifications ?? {}) as Record<string, unknown>
  const listener = gateway.listeners.add(turn.key, slugs, wants, id, turn.reply)
  for (const uri of resourcesIn(wants)) {
    offering(uri)
      .then((mcp) => subscribe(mcp, uri))
      .catch(() => {}) // there is no such resource, or not now
  }

  async function subscribe(mcp: Mcp, uri: string): Promise<void> {
    const { hello, line, connection } = await leaseFor(gateway, turn, mcp)
    if (hello.era === 'modern' || turn.signal.aborted) return
    gateway.pool.subscriptions.add(line, uri, listener)
    await connection.call({ method: 'resources/subscribe', params: { uri }, timeoutMs: mcp.timeoutSeconds * 1000 })
  }

  return new Promise((resolve) => {
    const end = () => {
      gateway.listeners.remove(listener)
      gateway.pool.endSubscriber(listener)
      resolve(JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete' } }))
    }
    if (turn.signal.aborted) end()
    else turn.signal.addEventListener('abort', end, { once: true })
  })
}

function resourcesIn({ resourceSubscriptions: uris }: Record<string, unknown>): string[] {
  return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string').slice(0, MOST_RESOURCES) : []
}
