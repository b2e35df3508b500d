import { goTo, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside, Personal } from './entrance.ts'
import { home } from './shell.ts'

/** `/admin/keys` without a workspace leads to the keys of the one somebody was in last. */
export function toHome(page: 'keys' | 'mcps' | 'repos' | 'members' | 'settings') {
  return (door: Door) => (visit: Personal) => {
    const found = home(visit.req, visit.memberships)
    if (found) goTo(door, visit, `/admin/w/${found.workspace.slug}/${page}`)
    else show(door, visit, 'workspaces/none', {})
  }
}

export function toKeys(door: Door) {
  return (visit: Inside) => goTo(door, visit, `${visit.base}/keys`)
}
