import type { KeyObject } from 'node:crypto'
import { invalid, Refusal } from '../core/refusal.ts'
import type { Store } from '../core/store.ts'
import { append, appendAll } from './audit.ts'
import { furnish } from './furniture.ts'
import type { Db } from './sqlite.ts'
import { insertUser } from './users.ts'
import { insertWorkspace } from './workspaces.ts'

export function setupIn(db: Db, seal: KeyObject, moved: () => void): Store['setup'] {
  const ownerExists = (on: Db) => on.selectFrom('users').select('id').where('instance_owner', '=', 1).executeTakeFirst()

  return {
    async done() {
      return Boolean(await ownerExists(db))
    },

    async addLink(tokenHash, expiresAt, entry) {
      await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('setup_links').execute() // a new link ends the one before it
        await tx
          .insertInto('setup_links')
          .values({ token_hash: tokenHash, expires_at: expiresAt.getTime(), used_at: null })
          .execute()
        await append(tx, seal, entry)
      })
    },

    async linkIsGood(tokenHash, now) {
      const link = await db
        .selectFrom('setup_links')
        .select('token_hash')
        .where('token_hash', '=', tokenHash)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now.getTime())
        .executeTakeFirst()
      return Boolean(link)
    },

    complete(tokenHash, owner, workspace, now, entries, furniture) {
      const made = db.transaction().execute(async (tx) => {
        if (await ownerExists(tx)) return false
        if (tokenHash !== null) {
          const used = await tx
            .updateTable('setup_links')
            .set({ used_at: now.getTime() })
            .where('token_hash', '=', tokenHash)
            .where('used_at', 'is', null)
            .where('expires_at', '>', now.getTime())
            .returning('token_hash')
            .executeTakeFirst()
          if (!used) return false
        }
        if (!(await insertUser(tx, owner)))
          throw new Refusal('conflict', `There is an account for ${owner.email} already. Use another address.`)
        if (!(await insertWorkspace(tx, workspace, owner.id)))
          throw invalid('workspace', `There is a workspace ${workspace.slug} already. Choose another name.`)
        await appendAll(tx, seal, entries)
        if (furniture) await furnish(tx, seal, workspace.id, furniture)
        return true
      })
      return made.finally(moved)
    },
  }
}
