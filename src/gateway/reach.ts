import type { Mcp } from '../core/mcps/mcp.ts'
import { mcpNotPermitted, reaches } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import type { Lease } from '../upstreams/lease.ts'
import { partyOf, unlessGone } from './forward.ts'
import type { Gateway, Turn } from './turn.ts'

/** Not permitted and not there are one answer; then whether it can be reached in the key's environment. */
export function reachable(gateway: Gateway, key: Turn['key'], slug: string): Mcp | Promise<Mcp> {
  if (!reaches(key, slug)) throw mcpNotPermitted()
  const shelf = gateway.shelf.of(key.workspaceId)
  return shelf instanceof Promise ? shelf.then((read) => chosen(read, key, slug)) : chosen(shelf, key, slug)
}

function chosen(shelf: ReadonlyMap<string, Mcp>, key: Turn['key'], slug: string): Mcp {
  const mcp = shelf.get(slug)
  if (!mcp) throw mcpNotPermitted()
  if (!mcp.targets[key.environment]) {
    const other = key.environment === 'live' ? 'test' : 'live'
    throw new Refusal(
      'wrong_environment',
      `${slug} is there for ${other} keys only, and this is a ${key.environment} key. Use a ${other} key.`,
    )
  }
  return mcp
}

export function leaseFor(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<Lease> {
  return unlessGone(gateway.pool.reach(mcp, turn.key.environment, partyOf(gateway, turn)), turn.signal)
}
