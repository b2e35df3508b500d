import type { Request } from 'express'
import type { Environment } from '../core/keys/key.ts'
import type { KeyQuery } from '../core/store.ts'
import type { Inside } from './entrance.ts'

/** What the address of the list says: every search can be bookmarked, and works without scripts. */
export type Asked = { q: string; environment: string; mine: boolean; section: string; steps: string[] }

/** How many pages back a list remembers; before that it begins again. */
export const MOST_STEPS = 40
const STEP = /^[\w-]{1,200}$/

export function askedIn({ query }: Request): Asked {
  const said = (name: string) => {
    const value = query[name]
    return typeof value === 'string' ? value.trim() : ''
  }
  return {
    q: said('q').slice(0, 200),
    environment: said('environment'),
    mine: said('mine') !== '',
    section: said('section'),
    steps: said('from')
      .split('.')
      .filter((step) => STEP.test(step))
      .slice(-MOST_STEPS),
  }
}

export function queryFor({ q, environment, mine }: Asked, { workspace, person }: Inside, now: Date): KeyQuery {
  const one = (['live', 'test'] as Environment[]).find((name) => name === environment)
  return {
    workspaceId: workspace.id,
    now,
    ...(q && { search: q }),
    ...(one && { environment: one }),
    ...(mine && { ownerId: person.user.id }),
  }
}

/** The same search elsewhere: from its beginning, unless steps are given. */
export function addressFor(base: string, asked: Asked) {
  return (change: Partial<Asked>): string => {
    const { q, environment, mine, section, steps } = { ...asked, steps: [], ...change }
    const said = { q, environment, mine: mine ? 'yes' : '', section, from: steps.join('.') }
    const query = new URLSearchParams(Object.entries(said).filter(([, value]) => value !== ''))
    return `${base}/keys${query.size > 0 ? `?${query}` : ''}`
  }
}
