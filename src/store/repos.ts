import type { KeyObject } from 'node:crypto'
import type { Repo } from '../core/docs.ts'
import type { Store } from '../core/store.ts'
import { append } from './audit.ts'
import type { Db } from './sqlite.ts'
import type { RepoRow } from './tables.ts'

export function reposIn(db: Db, seal: KeyObject, moved: () => void): Store['repos'] {
  const byName = db.selectFrom('repos').selectAll().orderBy('name')

  return {
    async all() {
      return (await byName.execute()).map(toRepo)
    },

    async list(workspaceId) {
      return (await byName.where('workspace_id', '=', workspaceId).execute()).map(toRepo)
    },

    add(repo, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const added = await tx
            .insertInto('repos')
            .values(toRow(repo))
            .onConflict((conflict) => conflict.columns(['workspace_id', 'name']).doNothing())
            .returning('id')
            .executeTakeFirst()
          if (!added) return false
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },

    change(repo, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const { name, path, environments, revision } = toRow(repo)
          const twin = await tx
            .selectFrom('repos')
            .select('id')
            .where('workspace_id', '=', repo.workspaceId)
            .where('name', '=', name)
            .where('id', '<>', repo.id)
            .executeTakeFirst()
          if (twin) return 'taken'
          const row = await tx
            .updateTable('repos')
            .set({ name, path, environments, revision })
            .where('id', '=', repo.id)
            .where('revision', '=', revision - 1)
            .returning('id')
            .executeTakeFirst()
          if (!row) return 'changed meanwhile'
          await append(tx, seal, entry)
          return 'done'
        })
        .finally(moved)
    },

    async remove(repo, entry) {
      await db
        .transaction()
        .execute(async (tx) => {
          const gone = await tx.deleteFrom('repos').where('id', '=', repo.id).returning('id').executeTakeFirst()
          if (gone) await append(tx, seal, entry)
        })
        .finally(moved)
    },
  }
}

export function toRow(repo: Repo): RepoRow {
  return {
    id: repo.id,
    workspace_id: repo.workspaceId,
    name: repo.name,
    source: repo.source,
    path: repo.path,
    environments: JSON.stringify(repo.environments),
    created_at: repo.createdAt.getTime(),
    revision: repo.revision,
  }
}

function toRepo(row: RepoRow): Repo {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    source: row.source as Repo['source'],
    path: row.path,
    environments: JSON.parse(row.environments),
    createdAt: new Date(row.created_at),
    revision: row.revision,
  }
}
