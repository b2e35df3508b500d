import type { Actor, AuditEntry } from '../audit.ts'
import type { Context } from '../context.ts'
import type { Repo } from '../docs.ts'
import { newId } from '../ids.ts'
import { DEFAULT_TIMEOUT_SECONDS, mcpAdded } from '../mcps/edit.ts'
import { type BuiltinTarget, DOCS, type Mcp } from '../mcps/mcp.ts'
import { recorded, repoEntry } from './record.ts'

/** What a workspace has from its first moment: the documentation server, and in it the manual. */
export type Furniture = { mcp: Mcp | null; repo: Repo; entries: AuditEntry[] }

const SYSTEM: Actor = { kind: 'system', id: null, label: 'start-up', address: null, requestId: null }

export function furnitureFor(ctx: Pick<Context, 'now'>, actor: Actor, workspaceId: string): Furniture {
  const now = ctx.now()
  const target: BuiltinTarget = { kind: 'builtin', name: DOCS }
  const mcp: Mcp = {
    id: newId('mcp', now),
    workspaceId,
    slug: DOCS,
    name: 'Documentation',
    transport: 'builtin',
    targets: { live: target, test: target },
    isolation: 'shared',
    timeoutSeconds: DEFAULT_TIMEOUT_SECONDS,
    createdAt: now,
    revision: 1,
  }
  const repo: Repo = {
    id: newId('rep', now),
    workspaceId,
    name: 'claviger',
    source: 'manual',
    path: null,
    environments: ['live', 'test'],
    createdAt: now,
    revision: 1,
  }
  const entries = [mcpAdded(ctx, { actor }, mcp), repoEntry(ctx, { actor }, 'repo.added', repo, null, recorded(repo))]
  return { mcp, repo, entries }
}

/** Workspaces made by a version without documentation get it once; one that an admin removes stays away. */
export async function furnishOlder(ctx: Context): Promise<void> {
  for (const { id } of await ctx.store.workspaces.unfurnished()) {
    const { mcp, repo, entries } = furnitureFor(ctx, SYSTEM, id)
    const taken = (await ctx.store.mcps.list(id)).some(({ slug }) => slug === DOCS)
    await ctx.store.workspaces.furnish(
      id,
      taken
        ? { mcp: null, repo, entries: entries.filter(({ action }) => action !== 'mcp.added') }
        : { mcp, repo, entries },
    )
  }
}
