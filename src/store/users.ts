import type { KeyObject } from 'node:crypto'
import type { Store } from '../core/store.ts'
import type { User } from '../core/workspaces/workspace.ts'
import { append } from './audit.ts'
import type { Db, Tx } from './sqlite.ts'
import type { UserRow } from './tables.ts'

export function usersIn(db: Db, seal: KeyObject, moved: () => void): Store['users'] {
  return {
    async byId(id) {
      const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
      return row ? toUser(row) : null
    },

    async byEmail(email) {
      const row = await db.selectFrom('users').selectAll().where('email', '=', email.toLowerCase()).executeTakeFirst()
      return row ? toUser(row) : null
    },

    async list() {
      return (await db.selectFrom('users').selectAll().orderBy('email').execute()).map(toUser)
    },

    add(user, entry) {
      return db.transaction().execute(async (tx) => {
        if (!(await insertUser(tx, user))) return false
        await append(tx, seal, entry)
        return true
      })
    },

    async change(id, changed, entry) {
      await db.transaction().execute(async (tx) => {
        const known = await tx
          .updateTable('users')
          .set({ name: changed.name, password_hash: changed.passwordHash })
          .where('id', '=', id)
          .returning('id')
          .executeTakeFirst()
        if (known) await append(tx, seal, entry)
      })
    },

    changePassword(id, passwordHash, keepSession, entry, proven) {
      return db.transaction().execute(async (tx) => {
        let user = tx.updateTable('users').set({ password_hash: passwordHash }).where('id', '=', id)
        if (proven !== undefined) user = user.where('password_hash', '=', proven)
        if (!(await user.returning('id').executeTakeFirst())) return false
        await tx
          .deleteFrom('sessions')
          .where('user_id', '=', id)
          .where('id', '!=', keepSession ?? '')
          .execute()
        await append(tx, seal, entry)
        return true
      })
    },

    async remove(id, entry) {
      await db
        .transaction()
        .execute(async (tx) => {
          const gone = await tx.deleteFrom('users').where('id', '=', id).returning('id').executeTakeFirst()
          if (gone) await append(tx, seal, entry)
        })
        .finally(moved) // keys are bounded by their owner's role
    },
  }
}

/** False if the e-mail address is taken. */
export async function insertUser(tx: Tx, user: User): Promise<boolean> {
  const added = await tx
    .insertInto('users')
    .values(toRow(user))
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returning('id')
    .executeTakeFirst()
  return Boolean(added)
}

function toRow(user: User): UserRow {
  return {
    id: user.id,
    email: user.email.toLowerCase(),
    name: user.name,
    password_hash: user.passwordHash,
    instance_owner: user.instanceOwner ? 1 : 0,
    created_at: user.createdAt.getTime(),
  }
}

function toUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    passwordHash: row.password_hash,
    instanceOwner: row.instance_owner === 1,
    createdAt: new Date(row.created_at),
  }
}
