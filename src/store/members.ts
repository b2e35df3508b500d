import type { KeyObject } from 'node:crypto'
import type { Store } from '../core/store.ts'
import type { Role } from '../core/workspaces/roles.ts'
import { append, appendAll } from './audit.ts'
import { toKey } from './keys.ts'
import type { Db, Tx } from './sqlite.ts'

export function membersIn(db: Db, seal: KeyObject, moved: () => void): Store['members'] {
  return {
    async roleOf(workspaceId, userId) {
      const row = await db
        .selectFrom('members')
        .select('role')
        .where('workspace_id', '=', workspaceId)
        .where('user_id', '=', userId)
        .executeTakeFirst()
      return (row?.role as Role | undefined) ?? null
    },

    async list(workspaceId) {
      const rows = await db
        .selectFrom('members')
        .innerJoin('users', 'users.id', 'members.user_id')
        .select(['members.user_id', 'members.role', 'members.joined_at', 'users.email', 'users.name'])
        .where('members.workspace_id', '=', workspaceId)
        .orderBy('users.email')
        .execute()
      return rows.map((row) => ({
        workspaceId,
        userId: row.user_id,
        email: row.email,
        name: row.name,
        role: row.role as Role,
        joinedAt: new Date(row.joined_at),
      }))
    },

    add(workspaceId, userId, role, joinedAt, entry) {
      return db.transaction().execute(async (tx) => {
        if (!(await insertMember(tx, workspaceId, userId, role, joinedAt))) return false
        await append(tx, seal, entry)
        return true
      })
    },

    setRole(workspaceId, userId, role, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          if (role !== 'owner' && (await isLastOwner(tx, workspaceId, userId))) return false
          await tx
            .updateTable('members')
            .set({ role })
            .where('workspace_id', '=', workspaceId)
            .where('user_id', '=', userId)
            .execute()
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },

    remove(workspaceId, userId, heir, now, entries) {
      return db
        .transaction()
        .execute(async (tx) => {
          if (await isLastOwner(tx, workspaceId, userId)) return false
          await tx.deleteFrom('members').where('workspace_id', '=', workspaceId).where('user_id', '=', userId).execute()
          const theirs = tx
            .updateTable('keys')
            .where('workspace_id', '=', workspaceId)
            .where('owner_id', '=', userId)
            .returningAll()
          const rows = heir
            ? await theirs.set((eb) => ({ owner_id: heir, revision: eb('revision', '+', 1) })).execute()
            : await theirs
                .set((eb) => ({ disabled_at: now.getTime(), revision: eb('revision', '+', 1) }))
                .where('disabled_at', 'is', null)
                .where('revoked_at', 'is', null)
                .execute()
          await appendAll(tx, seal, entries(rows.map(toKey)))
          return true
        })
        .finally(moved)
    },
  }
}

/** False if they are a member already. */
export async function insertMember(
  tx: Tx,
  workspaceId: string,
  userId: string,
  role: Role,
  joinedAt: Date,
): Promise<boolean> {
  const added = await tx
    .insertInto('members')
    .values({ workspace_id: workspaceId, user_id: userId, role, joined_at: joinedAt.getTime() })
    .onConflict((conflict) => conflict.columns(['workspace_id', 'user_id']).doNothing())
    .returning('user_id')
    .executeTakeFirst()
  return Boolean(added)
}

async function isLastOwner(tx: Tx, workspaceId: string, userId: string): Promise<boolean> {
  const owners = await tx
    .selectFrom('members')
    .select('user_id')
    .where('workspace_id', '=', workspaceId)
    .where('role', '=', 'owner')
    .execute()
  return owners.length === 1 && owners[0]!.user_id === userId
}
