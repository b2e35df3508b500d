import type { Request, RequestHandler, Response } from 'express'
import { type Caller, demand } from '../core/caller.ts'
import { Refusal } from '../core/refusal.ts'
import type { Power, Role } from '../core/workspaces/roles.ts'
import { personActor, type SignedIn, signedInBy } from '../core/workspaces/sign-in.ts'
import type { Membership, Workspace } from '../core/workspaces/workspace.ts'
import { rememberWorkspace, sessionToken } from './cookies.ts'
import type { Door } from './door.ts'

export type Visit = { req: Request; res: Response; person: SignedIn | null }
export type Personal = Visit & { person: SignedIn; memberships: Membership[] }
export type Inside = Personal & { workspace: Workspace; role: Role; caller: Caller & { kind: 'person' }; base: string }

/** `newcomer`: before the set-up, with its link. A power: whoever has it in the workspace that the address names. */
export type Who = 'newcomer' | 'anyone' | 'signed in' | 'instance owner' | Power
export type Page = {
  method: 'get' | 'post'
  path: string
  who: Who
  /** What stands before the form, so that nobody can try it without end. */
  limit: Limit
  open: (door: Door) => RequestHandler
  /** Its form holds files, which are read only once it is known who sends them. */
  files?: true
}
export type Limit = (door: Door) => RequestHandler[]

type Show<V> = (door: Door) => (visit: V) => unknown
const none: Limit = () => []

export function newcomer(method: Page['method'], path: string, show: Show<Visit>): Page {
  return { method, path, who: 'newcomer', limit: none, open: entrance(show, async (_door, visit) => visit) }
}

export function anyone(method: Page['method'], path: string, show: Show<Visit>, limit = none): Page {
  return { method, path, who: 'anyone', limit, open: entrance(show, withPerson) }
}

export function signedIn(method: Page['method'], path: string, show: Show<Personal>, limit = none): Page {
  return { method, path, who: 'signed in', limit, open: entrance(show, personal) }
}

export function instanceOwner(method: Page['method'], path: string, show: Show<Personal>): Page {
  const open = entrance(show, async (door, visit: Visit) => {
    const known = await personal(door, visit)
    if (!known.person.user.instanceOwner)
      throw new Refusal('forbidden', 'Only the owner of this Claviger may do this. Ask them.')
    return known
  })
  return { method, path, who: 'instance owner', limit: none, open }
}

export function inside(power: Power, method: Page['method'], path: string, show: Show<Inside>): Page {
  const open = entrance(show, async (door, visit: Visit) => {
    const known = await into(door, await personal(door, visit))
    demand(known.caller, power)
    return known
  })
  return { method, path: `/w/:slug${path}`, who: power, limit: none, open }
}

export function insideWithFiles(power: Power, path: string, show: Show<Inside>): Page {
  return { ...inside(power, 'post', path, show), files: true }
}

function entrance<V extends Visit>(show: Show<V>, admit: (door: Door, visit: Visit) => Promise<V>): Page['open'] {
  return (door) => {
    const answer = show(door)
    return async (req, res) => {
      await answer(await admit(door, { req, res, person: null }))
    }
  }
}

async function withPerson({ ctx, publicUrl }: Door, visit: Visit): Promise<Visit> {
  const token = sessionToken(visit.req, publicUrl)
  return { ...visit, person: token === null ? null : await signedInBy(ctx, token) }
}

async function personal(door: Door, visit: Visit): Promise<Personal> {
  const { person } = await withPerson(door, visit)
  if (!person) throw new Refusal('unauthenticated', 'You are not signed in, or not any more. Sign in and try again.')
  return { ...visit, person, memberships: await door.ctx.store.workspaces.ofUser(person.user.id) }
}

/** The role is the one of this moment. A workspace that one is no member of does not exist. */
async function into({ publicUrl }: Door, visit: Personal): Promise<Inside> {
  const { req, res, person } = visit
  const found = visit.memberships.find(({ workspace }) => workspace.slug === req.params.slug)
  if (!found) throw new Refusal('not_found', 'There is no such workspace, or you are no member of it.')
  const { workspace, role } = found
  rememberWorkspace(req, res, publicUrl, workspace.slug)
  const actor = personActor(person.user, visitorOf(req))
  const caller = { kind: 'person', actor, user: person.user, role } as const
  return { ...visit, workspace, role, caller, base: `/admin/w/${workspace.slug}` }
}

export function visitorOf(req: Request): { address: string; userAgent: string; requestId: string } {
  return { address: req.seen.address, userAgent: req.get('user-agent') ?? '', requestId: req.seen.id }
}
