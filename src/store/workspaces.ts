import type { KeyObject } from 'node:crypto'
import type { Store } from '../core/store.ts'
import type { Role } from '../core/workspaces/roles.ts'
import type { Workspace } from '../core/workspaces/workspace.ts'
import { append, appendAll } from './audit.ts'
import { furnish } from './furniture.ts'
import type { Db, Tx } from './sqlite.ts'
import type { Tables } from './tables.ts'

export function workspacesIn(db: Db, seal: KeyObject, moved: () => void): Store['workspaces'] {
  return {
    async byId(id) {
      const row = await db.selectFrom('workspaces').selectAll().where('id', '=', id).executeTakeFirst()
      return row ? toWorkspace(row) : null
    },

    async bySlug(slug) {
      const row = await db.selectFrom('workspaces').selectAll().where('slug', '=', slug).executeTakeFirst()
      return row ? toWorkspace(row) : null
    },

    async list() {
      return (await db.selectFrom('workspaces').selectAll().orderBy('slug').execute()).map(toWorkspace)
    },

    async ofUser(userId) {
      const rows = await db
        .selectFrom('members')
        .innerJoin('workspaces', 'workspaces.id', 'members.workspace_id')
        .selectAll('workspaces')
        .select('members.role')
        .where('members.user_id', '=', userId)
        .orderBy('workspaces.name')
        .execute()
      return rows.map((row) => ({ workspace: toWorkspace(row), role: row.role as Role }))
    },

    add(workspace, ownerId, entries, furniture) {
      const added = db.transaction().execute(async (tx) => {
        if (!(await insertWorkspace(tx, workspace, ownerId))) return false
        await appendAll(tx, seal, entries)
        if (furniture) await furnish(tx, seal, workspace.id, furniture)
        return true
      })
      return added.finally(moved)
    },

    async unfurnished() {
      const rows = await db.selectFrom('workspaces').selectAll().where('furnished_at', 'is', null).execute()
      return rows.map(toWorkspace)
    },

    async furnish(workspaceId, furniture) {
      await db
        .transaction()
        .execute((tx) => furnish(tx, seal, workspaceId, furniture))
        .finally(moved)
    },

    async rename(id, name, entry) {
      await db.transaction().execute(async (tx) => {
        const renamed = tx.updateTable('workspaces').set({ name }).where('id', '=', id).returning('id')
        if (await renamed.executeTakeFirst()) await append(tx, seal, entry)
      })
    },

    async remove(id, entries) {
      await db
        .transaction()
        .execute(async (tx) => {
          const gone = await tx.deleteFrom('workspaces').where('id', '=', id).returning('id').executeTakeFirst()
          if (gone) await appendAll(tx, seal, entries)
        })
        .finally(moved)
    },
  }
}

/** False if the slug is taken. */
export async function insertWorkspace(tx: Tx, workspace: Workspace, ownerId: string | null): Promise<boolean> {
  const { id, slug, name, createdAt } = workspace
  const added = await tx
    .insertInto('workspaces')
    .values({ id, slug, name, created_at: createdAt.getTime(), furnished_at: null })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!added) return false
  if (ownerId)
    await tx
      .insertInto('members')
      .values({ workspace_id: id, user_id: ownerId, role: 'owner', joined_at: createdAt.getTime() })
      .execute()
  return true
}

function toWorkspace(row: Tables['workspaces']): Workspace {
  return { id: row.id, slug: row.slug, name: row.name, createdAt: new Date(row.created_at) }
}
