import { type Actor, type AuditEntry, INSTANCE } from '../audit.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { Refusal } from '../refusal.ts'
import { furnitureFor } from '../repos/furnish.ts'
import { hashToken, newToken, type Secret } from '../secret.ts'
import { hashPassword } from './password.ts'
import { checkEmail, checkPersonName } from './people.ts'
import type { User, Workspace } from './workspace.ts'
import { checkWorkspaceName, freeSlug } from './workspaces.ts'

const LINK_MINUTES = 30

/** A new link, good once for 30 minutes; it ends the one before it. */
export async function newSetupLink(ctx: Context, actor: Actor): Promise<Secret> {
  if (await ctx.store.setup.done())
    throw new Refusal(
      'conflict',
      'This instance has an owner already. Use `claviger users reset-password` if they cannot sign in.',
    )
  const token = newToken('setup')
  const expiresAt = new Date(ctx.now().getTime() + LINK_MINUTES * 60_000)
  await ctx.store.setup.addLink(hashToken(ctx.secrets, token.reveal()), expiresAt, {
    chain: INSTANCE,
    at: ctx.now(),
    actor,
    action: 'setup_link.created',
    subject: { kind: 'instance', id: INSTANCE, label: 'setup link' },
    before: null,
    after: { expiresAt },
  })
  return token
}

export async function setupLinkIsGood(ctx: Context, token: string): Promise<boolean> {
  return ctx.store.setup.linkIsGood(hashToken(ctx.secrets, token), ctx.now())
}

export type Owner = { email: string; name: string; password: Secret; workspace: string }

/** The first account and its workspace, in one transaction. `token` null: from the command line or the environment. */
export async function setUp(
  ctx: Context,
  actor: Actor,
  token: string | null,
  wanted: Owner,
): Promise<{ user: User; workspace: Workspace }> {
  const now = ctx.now()
  const email = checkEmail(wanted.email)
  const name = checkPersonName(wanted.name)
  const workspaceName = checkWorkspaceName(wanted.workspace)
  const passwordHash = await hashPassword(wanted.password, [email, name, workspaceName])
  const user: User = { id: newId('usr', now), email, name, passwordHash, instanceOwner: true, createdAt: now }
  const workspace: Workspace = {
    id: newId('wsp', now),
    slug: await freeSlug(ctx, workspaceName),
    name: workspaceName,
    createdAt: now,
  }
  const by: Actor = token === null ? actor : { ...actor, kind: 'user', id: user.id, label: email }
  const entry = { at: now, actor: by, before: null }
  const entries: AuditEntry[] = [
    {
      ...entry,
      chain: INSTANCE,
      action: 'instance.set_up',
      subject: { kind: 'user', id: user.id, label: email },
      after: { email, name, instanceOwner: true },
    },
    {
      ...entry,
      chain: INSTANCE,
      action: 'workspace.created',
      subject: { kind: 'workspace', id: workspace.id, label: workspace.slug },
      after: { slug: workspace.slug, name: workspaceName },
    },
    {
      ...entry,
      chain: workspace.id,
      action: 'workspace.created',
      subject: { kind: 'workspace', id: workspace.id, label: workspace.slug },
      after: { slug: workspace.slug, name: workspaceName, owner: email },
    },
  ]
  const tokenHash = token && hashToken(ctx.secrets, token)
  const furniture = furnitureFor(ctx, by, workspace.id)
  const made = await ctx.store.setup.complete(tokenHash, user, workspace, now, entries, furniture)
  if (!made)
    throw (await ctx.store.setup.done())
      ? new Refusal('conflict', 'This instance has an owner already. Sign in instead.')
      : new Refusal(
          'not_found',
          'This setup link was used or is older than 30 minutes. Run `claviger setup-url` for a new one.',
        )
  return { user, workspace }
}
