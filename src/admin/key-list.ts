import type { Request } from 'express'
import type { Environment, KeyState } from '../core/keys/key.ts'
import type { KeyQuery } from '../core/store.ts'
import { isHtmx, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { mayIssue, rowOf } from './key-row.ts'

type Section = { id: string; title: string; text?: string; states: KeyState[]; atFirst: number }

const SECTIONS: Section[] = [
  { id: 'enabled', title: 'Enabled', states: ['active', 'scheduled'], atFirst: 50 },
  { id: 'disabled', title: 'Disabled', text: 'Refused until enabled again.', states: ['disabled'], atFirst: 20 },
  { id: 'over', title: 'Expired and revoked', text: 'Refused for good.', states: ['expired', 'revoked'], atFirst: 20 },
]
const PAGE = 50
/** How many pages back a list remembers; before that it begins again. */
const MOST_STEPS = 40

/** All sections with their newest keys; or one of them page by page. */
export function keysPage(door: Door) {
  return async (visit: Inside) => {
    const { req, base, workspace } = visit
    const { ctx } = door
    const query = queryOf(req, workspace.id, ctx.now())
    const tally = await ctx.store.keys.tally(query)
    const chosen = SECTIONS.find(({ id }) => id === req.query.section)
    const steps = chosen ? stepsOf(req) : []
    const address = addressFor(base, req)
    let nextCursor: string | null = null

    const sections = await Promise.all(
      (chosen ? [chosen] : SECTIONS).map(async ({ id, title, text, states, atFirst }) => {
        const page = { limit: chosen ? PAGE : atFirst, cursor: steps.at(-1) ?? null }
        const found = await ctx.store.keys.list({ ...query, states }, page)
        if (chosen) nextCursor = found.nextCursor
        const keys = found.items.map((key) => rowOf(visit, key, ctx.now()))
        const total = states.reduce((sum, state) => sum + tally[state], 0)
        return { id, title, text, total, keys, more: !chosen && found.nextCursor ? address({ section: id }) : null }
      }),
    )
    const data = {
      mayIssue: mayIssue(visit),
      total: sumOf(query.search || query.environment ? await everyState(door, visit) : tally),
      search: { q: query.search ?? '', environment: query.environment ?? '', section: chosen?.id ?? '' },
      all: chosen ? address({}) : null,
      sections,
      pagination: chosen && {
        previous: steps.length > 0 ? address({ section: chosen.id, from: steps.slice(0, -1) }) : null,
        next: nextCursor && address({ section: chosen.id, from: [...steps, nextCursor].slice(-MOST_STEPS) }),
      },
    }
    if (isHtmx(visit)) door.render(req, visit.res, 'keys/list', { base, ...data })
    else show(door, visit, 'keys/index', data)
  }
}

function queryOf(req: Request, workspaceId: string, now: Date): KeyQuery {
  const search = asked(req, 'q').slice(0, 200)
  const environment = (['live', 'test'] as Environment[]).find((one) => one === asked(req, 'environment'))
  return { workspaceId, now, ...(search && { search }), ...(environment && { environment }) }
}

function everyState({ ctx }: Door, { workspace }: Inside): Promise<Record<KeyState, number>> {
  return ctx.store.keys.tally({ workspaceId: workspace.id, now: ctx.now() })
}

function sumOf(tally: Record<KeyState, number>): number {
  return Object.values(tally).reduce((sum, count) => sum + count, 0)
}

function stepsOf(req: Request): string[] {
  return asked(req, 'from')
    .split('.')
    .filter((step) => /^key_[0-9a-z]+$/.test(step))
    .slice(-MOST_STEPS)
}

function addressFor(base: string, req: Request) {
  return ({ section, from = [] }: { section?: string; from?: string[] }) => {
    const query = new URLSearchParams()
    for (const name of ['q', 'environment']) if (asked(req, name)) query.set(name, asked(req, name))
    if (section) query.set('section', section)
    if (from.length > 0) query.set('from', from.join('.'))
    return `${base}/keys${query.size > 0 ? `?${query}` : ''}`
  }
}

function asked(req: Request, name: string): string {
  const value = req.query[name]
  return typeof value === 'string' ? value.trim() : ''
}
