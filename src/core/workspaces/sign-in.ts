import { type Actor, INSTANCE } from '../audit.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { Refusal } from '../refusal.ts'
import { hashToken, newToken, type Secret } from '../secret.ts'
import { passwordFits } from './password.ts'
import type { Session, User } from './workspace.ts'

const DAY_MS = 86_400_000
/** A session ends when unused for a week, and a month after signing in whatever happens. */
export const IDLE_MS = 7 * DAY_MS
export const LIFETIME_MS = 30 * DAY_MS
/** How stale "last seen" may be: a page view should not cost a write each time. */
const TOUCH_MS = 60_000

export type Visitor = { address: string; userAgent: string; requestId: string }

/** One answer for an unknown account and a wrong password, after the same time. */
export async function signIn(
  ctx: Context,
  visitor: Visitor,
  email: string,
  password: Secret,
): Promise<{ token: Secret; user: User }> {
  const user = await ctx.store.users.byEmail(email.trim())
  if (!(await passwordFits(password, user?.passwordHash ?? null)) || !user) throw doNotFit()
  return { token: await openSession(ctx, visitor, user), user }
}

function doNotFit(): Refusal {
  return new Refusal('unauthenticated', 'E-mail address and password do not fit together.')
}

export async function openSession(ctx: Context, visitor: Visitor, user: User): Promise<Secret> {
  const now = ctx.now()
  const token = newToken('session')
  const session: Session = {
    id: newId('ses', now),
    userId: user.id,
    createdAt: now,
    lastSeenAt: now,
    endsAt: new Date(now.getTime() + LIFETIME_MS),
    address: visitor.address,
    userAgent: visitor.userAgent.slice(0, 300),
  }
  const opened = await ctx.store.sessions.add(
    session,
    user.passwordHash,
    hashToken(ctx.secrets, token.reveal()),
    entryOf(ctx, personActor(user, visitor), 'user.signed_in', user, null),
  )
  if (!opened) throw doNotFit() // the password was changed while it was being proven
  return token
}

export type SignedIn = { user: User; session: Session }

export async function signedInBy(ctx: Context, token: string): Promise<SignedIn | null> {
  const now = ctx.now()
  const session = await ctx.store.sessions.byToken(hashToken(ctx.secrets, token))
  if (!session || session.endsAt <= now || now.getTime() - session.lastSeenAt.getTime() >= IDLE_MS) return null
  const user = await ctx.store.users.byId(session.userId)
  if (!user) return null
  if (now.getTime() - session.lastSeenAt.getTime() >= TOUCH_MS) await ctx.store.sessions.touch(session.id, now)
  return { user, session }
}

export async function ownSessions(ctx: Context, user: User): Promise<Session[]> {
  const now = ctx.now()
  const sessions = await ctx.store.sessions.ofUser(user.id, now)
  return sessions.filter((session) => now.getTime() - session.lastSeenAt.getTime() < IDLE_MS)
}

export async function signOut(ctx: Context, actor: Actor, { user, session }: SignedIn): Promise<void> {
  await ctx.store.sessions.end(session.id, entryOf(ctx, actor, 'user.signed_out', user, { session: session.id }))
}

/** Ends one of the person's own sessions; another person's is left alone as if it did not exist. */
export async function endSession(ctx: Context, actor: Actor, user: User, id: string): Promise<void> {
  const session = (await ctx.store.sessions.ofUser(user.id, ctx.now())).find((one) => one.id === id)
  if (!session) throw new Refusal('not_found', 'That session has ended already.')
  await signOut(ctx, actor, { user, session })
}

export async function signOutEverywhere(ctx: Context, actor: Actor, user: User, except: string | null): Promise<void> {
  await ctx.store.sessions.endAll(user.id, except, entryOf(ctx, actor, 'user.signed_out_everywhere', user, null))
}

export function personActor(user: User, visitor: Pick<Visitor, 'address' | 'requestId'>): Actor {
  return { kind: 'user', id: user.id, label: user.email, address: visitor.address, requestId: visitor.requestId }
}

type Act = 'user.signed_in' | 'user.signed_out' | 'user.signed_out_everywhere'

function entryOf(ctx: Context, actor: Actor, action: Act, user: User, after: Record<string, unknown> | null) {
  return {
    chain: INSTANCE,
    at: ctx.now(),
    actor,
    action,
    subject: { kind: 'user', id: user.id, label: user.email },
    before: null,
    after,
  }
}
