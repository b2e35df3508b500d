import { activityOf } from '../core/keys/activity.ts'
import type { Key } from '../core/keys/key.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { outcomeOf } from './key-outcomes.ts'
import { pageOf } from './key-row.ts'

const PAGE = 20
const CURSOR = /^[\w.-]{1,64}$/

/** The calls of a key, the newest first, page by page. */
export async function callsOf({ ctx }: Door, { base, caller, workspace, req }: Inside, key: Key) {
  const cursor = CURSOR.exec(String(req.query.calls ?? ''))?.[0] ?? null
  const found = await activityOf(ctx, caller, workspace.id, key.id, { limit: PAGE, cursor })
  const page = pageOf(base, key)
  return {
    calls: found.items.map((line) => ({ ...line, latencyMs: Math.round(line.latencyMs), outcome: outcomeOf(line) })),
    newest: cursor && `${page}#activity`,
    older: found.nextCursor && `${page}?${new URLSearchParams({ calls: found.nextCursor })}#activity`,
  }
}
