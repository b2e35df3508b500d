import { shownActivity } from '../core/activity.ts'
import { activityOf } from '../core/keys/activity.ts'
import { impactOf, shownImpact } from '../core/keys/impact.ts'
import { ActivityLine } from '../http/activity-schemas.ts'
import { openCursor, sealCursor } from '../http/cursor.ts'
import { pageQuery } from '../http/key-bodies.ts'
import { Impact } from '../http/key-schemas.ts'
import { listOf } from '../http/schemas.ts'
import { endpoint } from './operation.ts'

export const keyImpact = endpoint(
  {
    id: 'keyImpact',
    summary: 'See who uses a key',
    about: 'Who would notice if it stopped: its clients and addresses of the last 24 hours, the busiest first.',
    power: 'keys.see',
    answer: { status: 200, about: 'Who uses it.', schema: Impact },
  },
  async ({ ctx }, { caller, workspaceId, id }) => ({
    body: shownImpact(await impactOf(ctx, caller, workspaceId, id)),
  }),
)

export const keyActivity = endpoint(
  {
    id: 'keyActivity',
    summary: 'List the calls of a key',
    about: 'The newest first, for as long as activity is kept.',
    power: 'usage.see',
    query: pageQuery,
    answer: { status: 200, about: 'A page of calls.', schema: listOf(ActivityLine) },
  },
  async ({ ctx }, { caller, workspaceId, id, query: { limit, cursor } }) => {
    const where = `activity of ${id}`
    const page = { limit, cursor: cursor === undefined ? null : openCursor(ctx.secrets, where, cursor) }
    const { items, nextCursor } = await activityOf(ctx, caller, workspaceId, id, page)
    return {
      body: {
        data: items.map(shownActivity),
        next_cursor: nextCursor && sealCursor(ctx.secrets, where, nextCursor),
      },
    }
  },
)
