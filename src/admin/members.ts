import { mayDo } from '../core/caller.ts'
import {
  checkRole,
  handOver,
  invite,
  memberOf,
  removeMember,
  setRole,
  withdrawInvitation,
} from '../core/workspaces/members.ts'
import { ROLES, type Role } from '../core/workspaces/roles.ts'
import type { Member } from '../core/workspaces/workspace.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, isHtmx, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { oneOf, text } from './form.ts'
import { newOnce, once } from './once.ts'
import { originOf } from './origin.ts'

const HINTS: Record<Role, string> = {
  viewer: 'Sees keys, MCP servers and usage.',
  member: 'Also issues, changes and revokes own keys.',
  admin: 'Also all keys, MCP servers, the audit log, and members below owner.',
  owner: 'Also makes owners, and may delete the workspace.',
}

export function membersPage(door: Door) {
  return (visit: Inside) => showMembers(door, visit, { email: '', role: 'member', errors: [] })
}

type Invite = { email: string; role: string; errors: Wrong }

async function showMembers(door: Door, visit: Inside, form: Invite, more: { link?: string; once?: string } = {}) {
  const { ctx } = door
  const { workspace, caller, person } = visit
  const [members, invitations] = await Promise.all([
    ctx.store.members.list(workspace.id),
    ctx.store.invitations.open(workspace.id, ctx.now()),
  ])
  const mayChange = mayDo(caller, 'members.change')
  const roles = rolesGivenBy(visit)
  show(door, visit, 'members/index', {
    mayChange,
    roles: roles.map((role) => ({ value: role, label: role[0]!.toUpperCase() + role.slice(1), hint: HINTS[role] })),
    members: members.map((member) => {
      const you = member.userId === person.user.id
      return { ...member, you, mayChange: mayChange && !you && roles.includes(member.role) }
    }),
    invitations: mayChange ? invitations : [],
    invite: form,
    mayHandOver: mayDo(caller, 'owners.change') && members.length > 1,
    once: newOnce(ctx.now()),
    ...more,
  })
}

function rolesGivenBy({ caller }: Inside): Role[] {
  return mayDo(caller, 'owners.change') ? [...ROLES] : ROLES.filter((role) => role !== 'owner')
}

/** The link is in this one answer and nowhere else. */
export function inviteMember(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, person } = visit
    const form = { email: text(req, 'email'), role: text(req, 'role') || 'member' }
    await orAgain(
      res,
      async () => {
        const { token } = await once(door.ctx, person.user.id, text(req, 'once'), () =>
          invite(door.ctx, caller, workspace.id, { email: form.email || null, role: checkRole(form.role) }),
        )
        const link = `${originOf(door, visit)}/admin/invitations/${token.reveal()}`
        await showMembers(door, visit, { email: '', role: 'member', errors: [] }, { link })
      },
      (errors) => showMembers(door, visit, { ...form, errors }, { once: text(req, 'once') }),
    )
  }
}

export function withdraw(door: Door) {
  return async (visit: Inside) => {
    await withdrawInvitation(door.ctx, visit.caller, visit.workspace.id, String(visit.req.params.id))
    goTo(door, visit, `${visit.base}/members`, 'invitation-withdrawn')
  }
}

export function changeRole(door: Door) {
  return async (visit: Inside) => {
    const { req, caller, workspace, base } = visit
    await setRole(door.ctx, caller, workspace.id, String(req.params.id), checkRole(text(req, 'role')))
    if (isHtmx(visit)) await showMembers(door, visit, { email: '', role: 'member', errors: [] })
    else goTo(door, visit, `${base}/members`, 'role-changed')
  }
}

export function removePage(door: Door) {
  return async (visit: Inside) => askAboutKeys(door, visit, String(visit.req.params.id), [])
}

export function remove(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, person, base } = visit
    const id = String(req.params.id)
    await orAgain(
      res,
      async () => {
        await removeMember(door.ctx, caller, workspace.id, id, oneOf(req, 'keys', ['disable', 'take-over'], 'disable'))
        if (id === person.user.id) goTo(door, visit, '/admin', 'left')
        else goTo(door, visit, `${base}/members`, 'member-removed')
      },
      (errors) => askAboutKeys(door, visit, id, errors),
    )
  }
}

export function leavePage(door: Door) {
  return async (visit: Inside) => askAboutKeys(door, visit, visit.person.user.id, [])
}

export function leave(door: Door) {
  return async (visit: Inside) => {
    const { res, caller, workspace, person } = visit
    await orAgain(
      res,
      async () => {
        await removeMember(door.ctx, caller, workspace.id, person.user.id, 'disable')
        goTo(door, visit, '/admin', 'left')
      },
      (errors) => askAboutKeys(door, visit, person.user.id, errors),
    )
  }
}

const MOST_KEYS = 100

async function askAboutKeys(door: Door, visit: Inside, userId: string, errors: Wrong) {
  const { ctx } = door
  const { workspace, person } = visit
  const member: Member = await memberOf(ctx, workspace.id, userId)
  const query = { workspaceId: workspace.id, ownerId: userId, now: ctx.now() }
  const working = { ...query, states: ['active', 'scheduled', 'disabled', 'expired'] as const }
  const keys = await ctx.store.keys.list(working, { limit: MOST_KEYS, cursor: null })
  show(door, visit, 'members/remove', {
    member,
    you: userId === person.user.id,
    keys: keys.items,
    moreKeys: keys.nextCursor !== null,
    errors,
  })
}

export function handOverPage(door: Door) {
  return (visit: Inside) => askForHeir(door, visit, [])
}

export function handOverWorkspace(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    await orAgain(
      res,
      async () => {
        await handOver(door.ctx, caller, workspace.id, text(req, 'user'))
        goTo(door, visit, `${base}/members`, 'handed-over')
      },
      (errors) => askForHeir(door, visit, errors),
    )
  }
}

async function askForHeir(door: Door, visit: Inside, errors: Wrong) {
  const members = await door.ctx.store.members.list(visit.workspace.id)
  const others = members.filter(({ userId }) => userId !== visit.person.user.id)
  show(door, visit, 'members/hand-over', { others, chosen: text(visit.req, 'user'), errors })
}
