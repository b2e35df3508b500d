import type { Caller } from '../caller.ts'
import { demand } from '../caller.ts'
import type { Context } from '../context.ts'
import type { Callers } from '../store.ts'
import { keyOf } from './changing.ts'

export type Impact = Callers & { lastUsedAt: Date | null }

const DAY_MS = 86_400_000

/** Who would notice if this key stopped: its callers of the last 24 hours. */
export async function impactOf(ctx: Context, caller: Caller, workspaceId: string, id: string): Promise<Impact> {
  demand(caller, 'keys.see')
  const key = await keyOf(ctx, caller, workspaceId, id)
  const since = new Date(ctx.now().getTime() - DAY_MS)
  return { ...(await ctx.store.activity.callersOf(workspaceId, id, since)), lastUsedAt: key.lastUsedAt }
}

export function shownImpact({ calls, clients, addresses, lastUsedAt }: Impact) {
  return { calls_24h: calls, clients, addresses, last_used_at: lastUsedAt?.toISOString() ?? null }
}
