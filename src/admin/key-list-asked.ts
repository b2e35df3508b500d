import type { Request } from 'express'
import type { KeyQuery } from '../core/store.ts'
import type { Inside } from './entrance.ts'
import { orderNamed } from './key-list-orders.ts'

/** What the address of the list says: every search can be bookmarked, and works without scripts. */
export type Asked = {
  q: string
  environment: string
  type: string
  mine: boolean
  sort: string
  section: string
  /** The way to this page: where each page before it ended. */
  steps: string[]
}

/** How far back a list remembers, so that its address stays one; before that it begins again. */
const MOST_STEPS = 40
const LONGEST_WAY = 4000
const STEP = /^[\w-]{1,1000}$/

export function askedIn({ query }: Request): Asked {
  const said = (name: string) => {
    const value = query[name]
    return typeof value === 'string' ? value.trim() : ''
  }
  return {
    q: said('q').slice(0, 200),
    environment: said('environment'),
    type: said('type'),
    mine: said('mine') !== '',
    sort: said('sort'),
    section: said('section'),
    steps: said('from')
      .split('.')
      .filter((step) => STEP.test(step)),
  }
}

export function queryFor(asked: Asked, { workspace, person }: Inside, now: Date): KeyQuery {
  const { sort, order } = orderNamed(asked.sort)
  return {
    workspaceId: workspace.id,
    now,
    search: asked.q || undefined,
    environment: oneOf(['live', 'test'] as const, asked.environment),
    type: oneOf(['restricted', 'unrestricted'] as const, asked.type),
    ownerId: asked.mine ? person.user.id : undefined,
    sort,
    order,
  }
}

function oneOf<T extends string>(choices: readonly T[], typed: string): T | undefined {
  return choices.find((choice) => choice === typed)
}

/** The same search elsewhere: from its beginning, unless steps are given. */
export function addressFor(base: string, asked: Asked) {
  return (change: Partial<Asked>): string => {
    const { mine, steps, ...rest } = { ...asked, steps: [], ...change }
    const said = { ...rest, mine: mine ? 'yes' : '', from: shortened(steps).join('.') }
    const query = new URLSearchParams(Object.entries(said).filter(([, value]) => value !== ''))
    return `${base}/keys${query.size > 0 ? `?${query}` : ''}`
  }
}

function shortened(steps: string[]): string[] {
  const kept = steps.slice(-MOST_STEPS)
  while (kept.length > 1 && kept.join('.').length > LONGEST_WAY) kept.shift()
  return kept
}
