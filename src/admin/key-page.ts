import { historyOf } from '../core/keys/history.ts'
import { impactOf } from '../core/keys/impact.ts'
import { inWords } from '../core/keys/words.ts'
import type { KeyWithUse } from '../core/store.ts'
import { show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { callsOf } from './key-activity.ts'
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
  const { caller, workspace } = visit
  const [activity, callers, history] = await Promise.all([
    callsOf(door, visit, key),
    impactOf(ctx, caller, workspace.id, key.id),
    historyOf(ctx, caller, key),
  ])
  show(door, visit, 'keys/show', {
    key: rowOf(visit, key, ctx.now()),
    ...inWords(key),
    activity,
    callers,
    history: history.map(historyLine),
    renaming,
  })
}
