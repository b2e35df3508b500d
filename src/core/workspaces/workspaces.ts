import { randomBytes } from 'node:crypto'
import { type Actor, INSTANCE } from '../audit.ts'
import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { invalid, Refusal } from '../refusal.ts'
import { furnitureFor } from '../repos/furnish.ts'
import type { User, Workspace } from './workspace.ts'

export function checkWorkspaceName(text: string): string {
  const name = text.trim()
  if (name.length < 1 || [...name].length > 100)
    throw invalid('workspace', 'Give the workspace a name of 1 to 100 characters.')
  return name
}

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/

/** `Ana's team` becomes `ana-s-team`; a name without a Latin letter gets a random one. */
export function newSlug(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
    .replace(/^-+|-+$/g, '')
  return SLUG.test(slug) ? slug : `w-${randomBytes(4).toString('hex')}`
}

/** The first that nobody has: the name's own, or that with something random behind it. */
export async function freeSlug(ctx: Context, name: string): Promise<string> {
  const wish = newSlug(name)
  return (await ctx.store.workspaces.bySlug(wish)) ? `${wish.slice(0, 27)}-${randomBytes(2).toString('hex')}` : wish
}

/** `owner` null: made on the command line, without a member yet. */
export async function createWorkspace(
  ctx: Context,
  actor: Actor,
  owner: User | null,
  wanted: string,
): Promise<Workspace> {
  const name = checkWorkspaceName(wanted)
  for (;;) {
    const slug = await freeSlug(ctx, name)
    const workspace: Workspace = { id: newId('wsp', ctx.now()), slug, name, createdAt: ctx.now() }
    const after = { slug, name, owner: owner?.email ?? null }
    const entries = [
      entryOf(ctx, INSTANCE, actor, 'workspace.created', workspace, null, after),
      entryOf(ctx, workspace.id, actor, 'workspace.created', workspace, null, after),
    ]
    const furniture = furnitureFor(ctx, actor, workspace.id)
    const added = await ctx.store.workspaces.add(workspace, owner?.id ?? null, entries, furniture)
    if (added) return workspace
  }
}

export async function renameWorkspace(
  ctx: Context,
  caller: Caller,
  workspace: Workspace,
  wanted: string,
): Promise<void> {
  demand(caller, 'workspace.rename')
  const name = checkWorkspaceName(wanted)
  if (name === workspace.name) return
  await ctx.store.workspaces.rename(
    workspace.id,
    name,
    entryOf(ctx, workspace.id, caller.actor, 'workspace.renamed', workspace, { name: workspace.name }, { name }),
  )
}

/** Asked twice: the caller repeats the workspace's slug. Keys and members go with it, the audit stays. */
export async function deleteWorkspace(
  ctx: Context,
  caller: Caller,
  workspace: Workspace,
  repeated: string,
): Promise<void> {
  demand(caller, 'workspace.delete')
  if (repeated.trim() !== workspace.slug)
    throw invalid('confirm', `Type ${workspace.slug} to delete this workspace with all its keys.`)
  const before = { slug: workspace.slug, name: workspace.name }
  await ctx.store.workspaces.remove(workspace.id, [
    entryOf(ctx, workspace.id, caller.actor, 'workspace.deleted', workspace, before, null),
    entryOf(ctx, INSTANCE, caller.actor, 'workspace.deleted', workspace, before, null),
  ])
}

/** By slug or exact name; without one, the only workspace there is. */
export async function workspaceNamed(ctx: Context, text: string | undefined): Promise<Workspace> {
  const all = await ctx.store.workspaces.list()
  if (text === undefined) {
    if (all.length === 1) return all[0]!
    if (all.length === 0)
      throw new Refusal('not_found', 'There is no workspace yet. Make one: `claviger workspaces create NAME`.')
    throw invalid('workspace', `Say which: --workspace ${all.map(({ slug }) => slug).join(' | ')}.`)
  }
  const found = all.find(({ slug }) => slug === text) ?? all.filter(({ name }) => name === text)
  if (!Array.isArray(found)) return found
  if (found.length === 1) return found[0]!
  throw new Refusal(
    'not_found',
    found.length === 0 ? `There is no workspace ${text}.` : `Several workspaces are called ${text}; use the slug.`,
  )
}

type Act = 'workspace.created' | 'workspace.renamed' | 'workspace.deleted'

function entryOf(
  ctx: Context,
  chain: string,
  actor: Actor,
  action: Act,
  { id, slug }: Workspace,
  before: Record<string, unknown> | null,
  after: Record<string, unknown> | null,
) {
  return { chain, at: ctx.now(), actor, action, subject: { kind: 'workspace', id, label: slug }, before, after }
}
