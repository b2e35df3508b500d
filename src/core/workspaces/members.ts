import type { Action, Actor, AuditEntry } from '../audit.ts'
import { INSTANCE } from '../audit.ts'
import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import type { Key } from '../keys/key.ts'
import { invalid, Refusal } from '../refusal.ts'
import { hashToken, newToken, type Secret } from '../secret.ts'
import { checkEmail, type NewPerson, newUser } from './people.ts'
import { powerOver, ROLES, type Role, roleHas } from './roles.ts'
import type { Invitation, Member, User } from './workspace.ts'

const INVITATION_DAYS = 7

export function checkRole(text: string): Role {
  if (!ROLES.includes(text as Role)) throw invalid('role', `The role is one of ${ROLES.join(', ')}.`)
  return text as Role
}

/** A link for one person, single use, seven days. With an e-mail address only that account can take it up. */
export async function invite(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  wanted: { email: string | null; role: Role },
): Promise<{ invitation: Invitation; token: Secret }> {
  demandOver(caller, wanted.role)
  const now = ctx.now()
  const invitation: Invitation = {
    id: newId('inv', now),
    workspaceId,
    email: wanted.email ? checkEmail(wanted.email) : null,
    role: wanted.role,
    createdAt: now,
    createdBy: caller.actor.label,
    createdById: caller.kind === 'person' ? caller.user.id : null,
    expiresAt: new Date(now.getTime() + INVITATION_DAYS * 86_400_000),
  }
  const token = newToken('invite')
  const { email, role, expiresAt } = invitation
  await ctx.store.invitations.add(
    invitation,
    hashToken(ctx.secrets, token.reveal()),
    entryOf(ctx, caller.actor, workspaceId, 'invitation.created', invitationSubject(invitation), null, {
      email,
      role,
      expiresAt,
    }),
  )
  return { invitation, token }
}

export async function openInvitation(ctx: Context, token: string): Promise<Invitation> {
  const invitation = await ctx.store.invitations.byToken(hashToken(ctx.secrets, token), ctx.now())
  if (!invitation || !(await makerMayStill(ctx, invitation))) throw noInvitation()
  return invitation
}

async function makerMayStill(ctx: Context, { createdById, workspaceId, role }: Invitation): Promise<boolean> {
  return createdById === null || roleHas(await ctx.store.members.roleOf(workspaceId, createdById), powerOver(role))
}

function noInvitation(): Refusal {
  return new Refusal('not_found', 'This invitation was used, withdrawn or has expired. Ask for a new one.')
}

/** Taken up by somebody signed in, or by a new person who makes an account with it. */
export async function acceptInvitation(
  ctx: Context,
  by: { address: string; requestId: string },
  token: string,
  who: { user: User } | { person: NewPerson },
): Promise<{ user: User; invitation: Invitation }> {
  const invitation = await openInvitation(ctx, token)
  const isNew = 'person' in who
  const user = isNew ? await newUser(ctx, who.person) : who.user
  if (invitation.email && invitation.email !== user.email)
    throw new Refusal(
      'forbidden',
      `This invitation is for ${invitation.email}. Sign in with that account to take it up.`,
    )
  if (isNew && (await ctx.store.users.byEmail(user.email)))
    throw invalid('email', 'There is an account with this address already. Sign in, then open the invitation again.')
  if (!isNew && (await ctx.store.members.roleOf(invitation.workspaceId, user.id)))
    throw new Refusal('conflict', 'You are a member of this workspace already.')
  const actor: Actor = { kind: 'user', id: user.id, label: user.email, ...by }
  const subject = { kind: 'user', id: user.id, label: user.email }
  const entries = [
    entryOf(ctx, actor, invitation.workspaceId, 'member.added', subject, null, {
      role: invitation.role,
      invitation: invitation.id,
    }),
  ]
  if (isNew)
    entries.push(entryOf(ctx, actor, INSTANCE, 'user.created', subject, null, { email: user.email, name: user.name }))
  const taken = await ctx.store.invitations.accept(
    hashToken(ctx.secrets, token),
    user.id,
    isNew ? user : null,
    ctx.now(),
    entries,
  )
  if (!taken) throw noInvitation()
  return { user, invitation }
}

export async function withdrawInvitation(ctx: Context, caller: Caller, workspaceId: string, id: string): Promise<void> {
  const invitation = (await ctx.store.invitations.open(workspaceId, ctx.now())).find((one) => one.id === id)
  demandOver(caller, invitation?.role ?? 'member')
  const gone =
    invitation &&
    (await ctx.store.invitations.revoke(
      workspaceId,
      id,
      entryOf(
        ctx,
        caller.actor,
        workspaceId,
        'invitation.revoked',
        invitationSubject(invitation),
        { role: invitation.role },
        null,
      ),
    ))
  if (!gone) throw new Refusal('not_found', 'That invitation is gone already.')
}

/** Straight in, for the command line: the account must exist. */
export async function addMember(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  user: User,
  role: Role,
): Promise<void> {
  demandOver(caller, role)
  const subject = { kind: 'user', id: user.id, label: user.email }
  const added = await ctx.store.members.add(
    workspaceId,
    user.id,
    role,
    ctx.now(),
    entryOf(ctx, caller.actor, workspaceId, 'member.added', subject, null, { role }),
  )
  if (!added) throw new Refusal('conflict', `${user.email} is a member already. Change the role instead.`)
}

export async function setRole(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  userId: string,
  role: Role,
): Promise<void> {
  const member = await memberOf(ctx, workspaceId, userId)
  demandOver(caller, member.role)
  demandOver(caller, role)
  if (member.role === role) return
  const entry = roleChanged(ctx, caller.actor, member, role)
  const outcome = await ctx.store.members.setRole(workspaceId, userId, member.role, role, entry)
  if (outcome === 'last owner') throw lastOwner()
  if (outcome === 'changed meanwhile') await setRole(ctx, caller, workspaceId, userId, role) // judged anew
}

/** Another member becomes owner, and the one who was stays on as an admin. */
export async function handOver(
  ctx: Context,
  caller: Caller & { kind: 'person' },
  workspaceId: string,
  userId: string,
): Promise<void> {
  if (userId === caller.user.id) throw invalid('user', 'You are an owner already. Choose another member.')
  const heir = await memberOf(ctx, workspaceId, userId)
  const giver = await memberOf(ctx, workspaceId, caller.user.id)
  demand({ ...caller, role: giver.role }, 'owners.change')
  const rises = heir.role === 'owner' ? [] : [roleChanged(ctx, caller.actor, heir, 'owner')]
  const entries = [...rises, roleChanged(ctx, caller.actor, giver, 'admin')]
  const outcome = await ctx.store.members.handOver(workspaceId, caller.user.id, heir, entries)
  if (outcome === 'changed meanwhile') await handOver(ctx, caller, workspaceId, userId) // judged anew
}

/** Everybody may leave; to remove another takes power over their role. */
export async function removeMember(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  userId: string,
  keys: 'disable' | 'take-over',
): Promise<{ keys: Key[] }> {
  const member = await memberOf(ctx, workspaceId, userId)
  const leaving = caller.kind === 'person' && caller.user.id === userId
  if (!leaving) demandOver(caller, member.role)
  const heir = keys === 'take-over' && caller.kind === 'person' && !leaving ? caller.user.id : null
  if (keys === 'take-over' && heir === null)
    throw invalid('keys', 'Keys can be taken over only by the person who removes somebody else.')
  let touched: Key[] = []
  const outcome = await ctx.store.members.remove(workspaceId, userId, member.role, heir, ctx.now(), (found, before) => {
    touched = found
    return [
      entryOf(
        ctx,
        caller.actor,
        workspaceId,
        'member.removed',
        subjectOf(member),
        { role: member.role },
        { keys: heir ? 'taken over' : 'disabled' },
      ),
      ...found.map((key, at) => keyLeft(ctx, caller.actor, before[at]!, key)),
    ]
  })
  if (outcome === 'last owner') throw lastOwner()
  if (outcome === 'changed meanwhile') return removeMember(ctx, caller, workspaceId, userId, keys) // judged anew
  return { keys: touched }
}

export async function memberOf(ctx: Context, workspaceId: string, userId: string): Promise<Member> {
  const member = (await ctx.store.members.list(workspaceId)).find((one) => one.userId === userId)
  if (!member) throw new Refusal('not_found', 'There is no such member.')
  return member
}

function demandOver(caller: Caller, role: Role): void {
  demand(caller, powerOver(role))
}

function roleChanged(ctx: Context, actor: Actor, member: Member, role: Role): AuditEntry {
  const before = { role: member.role }
  return entryOf(ctx, actor, member.workspaceId, 'member.role_changed', subjectOf(member), before, { role })
}

function keyLeft(ctx: Context, actor: Actor, was: Key, key: Key): AuditEntry {
  const subject = { kind: 'key', id: key.id, label: `${key.name} (${key.hint})` }
  const inherited = key.ownerId !== was.ownerId
  const told = ({ ownerId, scopes, disabledAt }: Key) => {
    if (!inherited) return { disabledAt }
    return key.scopes.length === was.scopes.length ? { ownerId } : { ownerId, scopes }
  }
  return entryOf(ctx, actor, key.workspaceId, inherited ? 'key.changed' : 'key.disabled', subject, told(was), told(key))
}

function lastOwner(): Refusal {
  return new Refusal('conflict', 'A workspace keeps at least one owner. Make somebody else owner first.')
}

function subjectOf(member: Member): AuditEntry['subject'] {
  return { kind: 'user', id: member.userId, label: member.email }
}

function invitationSubject({ id, email, role }: Invitation): AuditEntry['subject'] {
  return { kind: 'invitation', id, label: email ?? `a new ${role}` }
}

function entryOf(
  ctx: Context,
  actor: Actor,
  chain: string,
  action: Action,
  subject: AuditEntry['subject'],
  before: Record<string, unknown> | null,
  after: Record<string, unknown> | null,
): AuditEntry {
  return { chain, at: ctx.now(), actor, action, subject, before, after }
}
