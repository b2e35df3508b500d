import type { ActivityLine } from '../activity.ts'
import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import type { Page, PageRequest } from '../store.ts'
import { keyOf } from './changing.ts'

/** What a key was used for, the newest call first. */
export async function activityOf(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  id: string,
  page: PageRequest,
): Promise<Page<ActivityLine>> {
  demand(caller, 'usage.see')
  const key = await keyOf(ctx, caller, workspaceId, id)
  return ctx.store.activity.list({ workspaceId, keyId: key.id }, page)
}
