import { mayDo } from '../core/caller.ts'
import type { KeyState } from '../core/keys/key.ts'
import { leakedLately } from '../core/keys/leaks.ts'
import type { KeyQuery } from '../core/store.ts'
import { isHtmx, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { leakedNotice } from './key-leaked.ts'
import { addressFor, askedIn, queryFor } from './key-list-asked.ts'
import { headsFor, ORDERS } from './key-list-orders.ts'
import { mayIssue, rowOf } from './key-row.ts'

type Section = { id: string; title: string; text?: string; states: KeyState[]; atFirst: number }

const SECTIONS: Section[] = [
  { id: 'enabled', title: 'Enabled', states: ['active', 'scheduled'], atFirst: 50 },
  { id: 'disabled', title: 'Disabled', text: 'Refused until enabled again.', states: ['disabled'], atFirst: 20 },
  {
    id: 'over',
    title: 'Expired and revoked',
    text: 'Refused. Only an expired key can work again, with a later end.',
    states: ['expired', 'revoked'],
    atFirst: 20,
  },
]
const PAGE = 50

/** All sections with the first of their keys; or one of them page by page. */
export function keysPage(door: Door) {
  return async (visit: Inside) => {
    const { ctx } = door
    const { req, res, base, workspace, caller } = visit
    const asked = askedIn(req)
    const query = queryFor(asked, visit, ctx.now())
    const address = addressFor(base, asked)
    const tally = await ctx.store.keys.tally(query)
    const chosen = SECTIONS.find(({ id }) => id === asked.section)
    const steps = chosen ? asked.steps : []
    let nextCursor: string | null = null

    const sections = await Promise.all(
      (chosen ? [chosen] : SECTIONS).map(async ({ id, title, text, states, atFirst }) => {
        const page = { limit: chosen ? PAGE : atFirst, cursor: steps.at(-1) ?? null }
        const found = await ctx.store.keys.list({ ...query, states }, page)
        if (chosen) nextCursor = found.nextCursor
        const keys = found.items.map((key) => rowOf(visit, key, ctx.now()))
        const more = !chosen && found.nextCursor ? address({ section: id }) : null
        return { id, title, text, total: countOf(tally, states), keys, more }
      }),
    )
    const found = countOf(tally)
    const links = SECTIONS.map(({ id, title, states }) => ({
      href: address({ section: id }),
      label: title,
      count: countOf(tally, states),
      current: chosen?.id === id,
    }))
    const data = {
      mayIssue: mayIssue(visit),
      mayImport: mayDo(caller, 'keys.all'),
      some: found > 0 || (isSearch(query) && (await hasKeys(door, workspace.id))),
      leaked: leakedNotice(base, await leakedLately(ctx, caller, workspace.id)),
      found,
      asked,
      heads: headsFor(asked.sort, (sort) => address({ sort })),
      orders: ORDERS,
      tabs: {
        label: 'Keys',
        links: [{ href: address({ section: '' }), label: 'All', count: found, current: !chosen }, ...links],
      },
      everything: `${base}/keys`,
      sections,
      pagination: chosen && {
        previous: steps.length > 0 ? address({ steps: steps.slice(0, -1) }) : null,
        next: nextCursor && address({ steps: [...steps, nextCursor] }),
      },
    }
    const partial = isHtmx(visit) && req.get('hx-request-type') !== 'full'
    if (partial) door.render(req, res, 'keys/list', { base, partial, ...data })
    else show(door, visit, 'keys/index', data)
  }
}

function isSearch({ search, environment, type, ownerId }: KeyQuery): boolean {
  return Boolean(search || environment || type || ownerId)
}

async function hasKeys({ ctx }: Door, workspaceId: string): Promise<boolean> {
  const { items } = await ctx.store.keys.list({ workspaceId, now: ctx.now() }, { limit: 1, cursor: null })
  return items.length > 0
}

function countOf(tally: Record<KeyState, number>, states = Object.keys(tally) as KeyState[]): number {
  return states.reduce((sum, state) => sum + tally[state], 0)
}
