import type { AuditLine } from '../audit.ts'
import { type Caller, mayDo } from '../caller.ts'
import type { Context } from '../context.ts'
import { mayChange } from './changing.ts'
import type { Key } from './key.ts'

const MOST_LINES = 50

/** What was done to a key, the newest first; for those who may read the audit log, or whose key it is. */
export async function historyOf(ctx: Context, caller: Caller, key: Key): Promise<AuditLine[]> {
  if (!mayDo(caller, 'audit.read') && !mayChange(caller, key)) return []
  const query = { chain: key.workspaceId, subjectId: key.id }
  return (await ctx.store.audit.list(query, { limit: MOST_LINES, cursor: null })).items
}
