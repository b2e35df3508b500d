import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { openContext } from '../context.ts'
import type { Actor } from '../core/audit.ts'
import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'
import type { Workspace } from '../core/workspaces/workspace.ts'
import { workspaceNamed } from '../core/workspaces/workspaces.ts'
import { databaseFile } from '../store/data-dir.ts'
import type { Input } from './command.ts'

type Operator = Caller & { kind: 'operator' }

/** Opens the data directory for one command; a server that runs on it obeys at once. */
export async function withContext<T>(
  input: Input,
  work: (ctx: Context, caller: Operator) => Promise<T>,
  { create = false }: { create?: boolean } = {},
): Promise<T> {
  const { config } = input.settings
  if (!create && !existsSync(databaseFile(config.data_dir)))
    throw new Error(
      `There is no database of Claviger in ${config.data_dir}. Name its folder with --data-dir, or start there with \`claviger serve\`.`,
    )
  const { ctx } = openContext(config, input.world.now)
  try {
    return await work(ctx, operator())
  } finally {
    await ctx.store.close()
  }
}

export async function inWorkspace<T>(
  input: Input,
  work: (ctx: Context, caller: Operator, workspace: Workspace) => Promise<T>,
): Promise<T> {
  return withContext(input, async (ctx, caller) =>
    work(ctx, caller, await workspaceNamed(ctx, input.text('workspace'))),
  )
}

function operator(): Operator {
  const label = `command line (${accountName()})`
  const actor: Actor = { kind: 'cli', id: null, label, address: null, requestId: null }
  return { kind: 'operator', actor }
}

/** A container may run as a user that has no name. */
function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}
