import type { Request } from 'express'
import type { Membership } from '../core/workspaces/workspace.ts'
import { lastWorkspace } from './cookies.ts'
import type { Inside, Personal } from './entrance.ts'

/** What the frame around a page shows: where one is, and where one may go. */
export function shell(visit: Personal | Inside) {
  const { req, person, memberships } = visit
  const workspace = 'workspace' in visit ? visit.workspace : home(req, memberships)?.workspace
  const { email, name, instanceOwner } = person.user
  const base = workspace ? `/admin/w/${workspace.slug}` : '/admin'
  return {
    base,
    user: { email, name },
    workspace: { slug: workspace?.slug ?? '', name: workspace?.name ?? 'No workspace' },
    workspaces: memberships.map(({ workspace: { slug, name } }) => ({ slug, name, current: slug === workspace?.slug })),
    nav: workspace ? links(base, req.originalUrl) : [],
    newWorkspaceHref: instanceOwner ? '/admin/workspaces/new' : null,
  }
}

function links(base: string, here: string) {
  const places = [
    ['Keys', 'keys'],
    ['MCPs', 'mcps'],
    ['Documents', 'repos'],
    ['Members', 'members'],
    ['Settings', 'settings'],
  ]
  return places.map(([label, place]) => {
    const href = `${base}/${place}`
    return { href, label, current: here.startsWith(href) && /^([/?]|$)/.test(here.slice(href.length)) }
  })
}

/** The workspace somebody was in last, or their first. */
export function home(req: Request, memberships: Membership[]): Membership | null {
  const last = lastWorkspace(req)
  return memberships.find(({ workspace }) => workspace.slug === last) ?? memberships[0] ?? null
}
