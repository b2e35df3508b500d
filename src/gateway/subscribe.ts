import type { Mcp } from '../core/mcps/mcp.ts'
import { asText } from '../core/text.ts'
import { forward } from './forward.ts'
import { isError } from './outcome.ts'
import { leaseFor } from './reach.ts'
import { type Gateway, paramsOf, type Turn } from './turn.ts'

/** `resources/subscribe` and `resources/unsubscribe`: one client's goodbye must not silence the others on its line. */
export async function subscribe(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<string> {
  const { session, message } = turn
  const { subscriptions } = gateway.pool
  const { line } = await leaseFor(gateway, turn, mcp)
  const uri = asText(paramsOf(turn).uri)
  const onward = () => forward(gateway, turn, mcp, message.method, message.params)
  if (!session) return onward()
  if (message.method === 'resources/unsubscribe') {
    if (subscriptions.drop(line, uri, session)) return onward()
    return JSON.stringify({ jsonrpc: '2.0', id: message.id, result: {} })
  }
  subscriptions.add(line, uri, session) // before it is asked for: a change may be told with the answer
  try {
    const text = await onward()
    if (isError(text)) subscriptions.drop(line, uri, session)
    return text
  } catch (error) {
    subscriptions.drop(line, uri, session)
    throw error
  }
}
