import type { Mcp } from '../core/mcps/mcp.ts'
import { LISTS_FOR, type Party } from './lease.ts'
import { notStarted } from './reasons.ts'

type Running = { mcp: Mcp; scope: string; party: Party; usedAt: number }

const MOST_PROCESSES = { of: 100, ofKey: 16, forLists: 4 }

/**
 * A process for each of many clients would bring the host down before it served them. Clients come again and again
 * without ending what they began, so of one key's the session that has been idle for longest makes room.
 */
export function refuseTooMany(mcp: Mcp, keyId: string, scope: string, all: Iterable<Running>): void {
  if (mcp.transport !== 'stdio') return
  const running = [...all].filter((entry) => entry.mcp.id === mcp.id)
  const forLists = running.filter((entry) => entry.scope.startsWith(LISTS_FOR))
  const own = running.filter((entry) => entry.scope.startsWith('session:') && entry.party.keyId === keyId)
  if (scope.startsWith(LISTS_FOR) && forLists.length >= MOST_PROCESSES.forLists)
    throw notStarted(`${mcp.slug} runs for the lists of ${forLists.length} kinds of clients already.`)
  if (scope.startsWith('session:') && own.length >= MOST_PROCESSES.ofKey && !oneMakesRoom(own))
    throw notStarted(
      `${mcp.slug} runs for ${own.length} busy sessions of this key already, which is the most. End one.`,
    )
  if (running.length >= MOST_PROCESSES.of)
    throw notStarted(
      `${mcp.slug} runs for ${running.length} clients already, which is the most. Try again when one has left.`,
    )
}

function oneMakesRoom(own: Running[]): boolean {
  return own.sort((a, b) => a.usedAt - b.usedAt).some(({ party }) => party.session!.makesRoom())
}
