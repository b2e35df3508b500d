import { type Actor, INSTANCE } from '../audit.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { invalid, Refusal } from '../refusal.ts'
import type { Secret } from '../secret.ts'
import { hashPassword, passwordFits } from './password.ts'
import type { User } from './workspace.ts'

const EMAIL = /^[^\s@<>"',;:\\]{1,64}@[^\s@<>"',;:\\]+\.[^\s@<>"',;:\\]+$|^[^\s@<>"',;:\\]{1,64}@localhost$/

export function checkEmail(text: string): string {
  const email = text.trim().toLowerCase()
  if (email.length > 254 || !EMAIL.test(email))
    throw invalid('email', 'Write an e-mail address such as ana@example.com.')
  return email
}

export function checkPersonName(text: string): string {
  const name = text.trim()
  if (name.length < 1 || [...name].length > 100) throw invalid('name', 'Write a name of 1 to 100 characters.')
  return name
}

export type NewPerson = { email: string; name: string; password: Secret }

/** An account that belongs to no workspace yet. */
export async function newUser(ctx: Context, wanted: NewPerson): Promise<User> {
  const email = checkEmail(wanted.email)
  const name = checkPersonName(wanted.name)
  const passwordHash = await hashPassword(wanted.password, [email, name])
  return { id: newId('usr', ctx.now()), email, name, passwordHash, instanceOwner: false, createdAt: ctx.now() }
}

export async function createUser(ctx: Context, actor: Actor, wanted: NewPerson): Promise<User> {
  const user = await newUser(ctx, wanted)
  const added = await ctx.store.users.add(
    user,
    userEntry(ctx, actor, 'user.created', user, null, { email: user.email, name: user.name }),
  )
  if (!added) throw new Refusal('conflict', `There is an account for ${user.email} already.`)
  return user
}

export async function rename(ctx: Context, actor: Actor, user: User, wanted: string): Promise<void> {
  const name = checkPersonName(wanted)
  if (name === user.name) return
  await ctx.store.users.change(
    user.id,
    { name },
    userEntry(ctx, actor, 'user.renamed', user, { name: user.name }, { name }),
  )
}

/** By the person: asks for the old one, and ends every other session. */
export async function changePassword(
  ctx: Context,
  actor: Actor,
  user: User,
  { current, wanted, keepSession }: { current: Secret; wanted: Secret; keepSession: string },
): Promise<void> {
  if (!(await passwordFits(current, user.passwordHash)))
    throw invalid('current_password', 'That is not your current password.')
  const passwordHash = await hashPassword(wanted, [user.email, user.name])
  const changed = await ctx.store.users.changePassword(
    user.id,
    passwordHash,
    keepSession,
    userEntry(ctx, actor, 'user.password_changed', user, null, null),
    user.passwordHash,
  )
  if (!changed) throw new Refusal('conflict', 'Your password was changed meanwhile. Sign in with the new one.')
}

/** By the operator: no old one needed, every session ends. */
export async function resetPassword(ctx: Context, actor: Actor, email: string, wanted: Secret): Promise<User> {
  const user = await userNamed(ctx, email)
  const passwordHash = await hashPassword(wanted, [user.email, user.name])
  const reset = await ctx.store.users.changePassword(
    user.id,
    passwordHash,
    null,
    userEntry(ctx, actor, 'user.password_reset', user, null, null),
  )
  if (!reset) throw noAccount(email)
  return user
}

/** Only one who leaves no workspace without an owner, and not the instance owner. */
export async function removeUser(ctx: Context, actor: Actor, email: string): Promise<User> {
  const user = await userNamed(ctx, email)
  if (user.instanceOwner) throw new Refusal('conflict', 'The instance owner cannot be removed.')
  const memberships = await ctx.store.workspaces.ofUser(user.id)
  if (memberships.length > 0)
    throw new Refusal(
      'conflict',
      `${user.email} is still a member of ${memberships.map(({ workspace }) => workspace.slug).join(', ')}. Remove them there first, deciding about their keys.`,
    )
  await ctx.store.users.remove(
    user.id,
    userEntry(ctx, actor, 'user.removed', user, { email: user.email, name: user.name }, null),
  )
  return user
}

export async function userNamed(ctx: Context, email: string): Promise<User> {
  const user = await ctx.store.users.byEmail(email.trim())
  if (!user) throw noAccount(email)
  return user
}

function noAccount(email: string): Refusal {
  return new Refusal('not_found', `There is no account for ${email.trim()}.`)
}

type UserAction = 'user.created' | 'user.renamed' | 'user.password_changed' | 'user.password_reset' | 'user.removed'

function userEntry(
  ctx: Context,
  actor: Actor,
  action: UserAction,
  user: User,
  before: object | null,
  after: object | null,
) {
  return {
    chain: INSTANCE,
    at: ctx.now(),
    actor,
    action,
    subject: { kind: 'user', id: user.id, label: user.email },
    before: before as Record<string, unknown> | null,
    after: after as Record<string, unknown> | null,
  }
}
