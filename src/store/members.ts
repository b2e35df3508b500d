import type { KeyObject } from 'node:crypto'
import type { Key } from '../core/keys/key.ts'
import { leftBehind } from '../core/keys/take-over.ts'
import type { MemberChange, Store } from '../core/store.ts'
import type { Role } from '../core/workspaces/roles.ts'
import { append, appendAll } from './audit.ts'
import { toKey } from './key-rows.ts'
import type { Db, Tx } from './sqlite.ts'

export function membersIn(db: Db, seal: KeyObject, moved: () => void): Store['members'] {
  return {
    roleOf(workspaceId, userId) {
      return roleIn(db, workspaceId, userId)
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

    setRole(workspaceId, userId, from, to, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const hindrance = await whyNot(tx, workspaceId, userId, from)
          if (hindrance && !(hindrance === 'last owner' && to === 'owner')) return hindrance
          await become(tx, workspaceId, userId, to)
          await append(tx, seal, entry)
          return 'done' as const
        })
        .finally(moved)
    },

    handOver(workspaceId, giverId, heir, entries) {
      return db
        .transaction()
        .execute(async (tx) => {
          const giver = await roleIn(tx, workspaceId, giverId)
          if (giver !== 'owner' || (await roleIn(tx, workspaceId, heir.userId)) !== heir.role)
            return 'changed meanwhile' as const
          await become(tx, workspaceId, heir.userId, 'owner')
          await become(tx, workspaceId, giverId, 'admin')
          await appendAll(tx, seal, entries)
          return 'done' as const
        })
        .finally(moved)
    },

    remove(workspaceId, userId, from, heir, now, entries) {
      return db
        .transaction()
        .execute(async (tx) => {
          const hindrance = await whyNot(tx, workspaceId, userId, from)
          if (hindrance) return hindrance
          await tx.deleteFrom('members').where('workspace_id', '=', workspaceId).where('user_id', '=', userId).execute()
          const theirs = await tx
            .selectFrom('keys')
            .selectAll()
            .where('workspace_id', '=', workspaceId)
            .where('owner_id', '=', userId)
            .execute()
          const [before, after]: [Key[], Key[]] = [[], []]
          for (const key of theirs.map(toKey)) {
            const left = leftBehind(key, heir, now)
            if (!left) continue
            before.push(key)
            after.push(await leave(tx, { ...key, ...left, revision: key.revision + 1 }))
          }
          await appendAll(tx, seal, entries(after, before))
          return 'done' as const
        })
        .finally(moved)
    },
  }
}

async function become(tx: Tx, workspaceId: string, userId: string, role: Role): Promise<void> {
  await tx
    .updateTable('members')
    .set({ role })
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .execute()
}

async function leave(tx: Tx, key: Key): Promise<Key> {
  await tx
    .updateTable('keys')
    .set({
      owner_id: key.ownerId,
      scopes: JSON.stringify(key.scopes),
      disabled_at: key.disabledAt?.getTime() ?? null,
      revision: key.revision,
    })
    .where('id', '=', key.id)
    .execute()
  return key
}

export async function roleIn(db: Db, workspaceId: string, userId: string): Promise<Role | null> {
  const row = await db
    .selectFrom('members')
    .select('role')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return (row?.role as Role | undefined) ?? null
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

/** Read within the change's own transaction: two owners who leave at the same moment do not both get away. */
async function whyNot(
  tx: Tx,
  workspaceId: string,
  userId: string,
  from: Role,
): Promise<Exclude<MemberChange, 'done'> | null> {
  const members = await tx
    .selectFrom('members')
    .select(['user_id', 'role'])
    .where('workspace_id', '=', workspaceId)
    .where((eb) => eb.or([eb('user_id', '=', userId), eb('role', '=', 'owner')]))
    .execute()
  if (members.find((one) => one.user_id === userId)?.role !== from) return 'changed meanwhile'
  return from === 'owner' && members.length === 1 ? 'last owner' : null
}
