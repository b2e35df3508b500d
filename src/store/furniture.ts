import type { KeyObject } from 'node:crypto'
import type { Furniture } from '../core/repos/furnish.ts'
import { appendAll } from './audit.ts'
import { toRow as mcpRow } from './mcps.ts'
import { toRow as repoRow } from './repos.ts'
import type { Tx } from './sqlite.ts'

/** What every workspace has from the start, once: whatever an admin removes later stays away. */
export async function furnish(tx: Tx, seal: KeyObject, workspaceId: string, furniture: Furniture): Promise<void> {
  const { mcp, repo, entries } = furniture
  const first = await tx
    .updateTable('workspaces')
    .set({ furnished_at: repo.createdAt.getTime() })
    .where('id', '=', workspaceId)
    .where('furnished_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!first) return
  if (mcp) await tx.insertInto('mcps').values(mcpRow(mcp)).execute()
  await tx.insertInto('repos').values(repoRow(repo)).execute()
  await appendAll(tx, seal, entries)
}
