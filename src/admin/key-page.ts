import { historyOf } from '../core/keys/history.ts'
import { inWords } from '../core/keys/words.ts'
import type { KeyWithUse } from '../core/store.ts'
import { show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { historyLine } from './key-history.ts'
import { rowOf } from './key-row.ts'
import { keyAsked } from './key-visit.ts'

/** The name as a field; null while nobody renames it. */
export type Renaming = { value: string; error?: string } | null

export function keyPage(door: Door) {
  return async (visit: Inside) => showKey(door, visit, await keyAsked(door, visit))
}

export async function showKey(door: Door, visit: Inside, key: KeyWithUse, renaming: Renaming = null): Promise<void> {
  const { ctx } = door
  const [activity, history] = await Promise.all([
    ctx.store.activity.list({ workspaceId: visit.workspace.id, keyId: key.id }, { limit: 20, cursor: null }),
    historyOf(ctx, visit.caller, key),
  ])
  show(door, visit, 'keys/show', {
    key: rowOf(visit, key, ctx.now()),
    ...inWords(key),
    activity: activity.items.map((line) => ({ ...line, latencyMs: Math.round(line.latencyMs) })),
    history: history.map(historyLine),
    renaming,
  })
}
