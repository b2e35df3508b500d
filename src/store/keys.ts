import type { KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import type { Key } from '../core/keys/key.ts'
import { Refusal } from '../core/refusal.ts'
import type { Store } from '../core/store.ts'
import { append } from './audit.ts'
import { keyListsIn, withUse } from './key-lists.ts'
import { date, toColumns, toKey, toKeyWithUse, toRow } from './key-rows.ts'
import type { Db, Tx } from './sqlite.ts'
import type { KeyRow } from './tables.ts'

export function keysIn(db: Db, seal: KeyObject, moved: () => void): Store['keys'] {
  const byHash = queryByHash(db)
  return {
    async byId(workspaceId, id) {
      const row = await withUse(db)
        .where('keys.workspace_id', '=', workspaceId)
        .where('keys.id', '=', id)
        .executeTakeFirst()
      return row ? toKeyWithUse(row) : null
    },

    async findByHash(hash) {
      const { rows } = await db.executeQuery<FoundRow>({ ...byHash, parameters: [hash] })
      const [row] = rows
      return row ? { ...toKey(row), secret: { hash, endsAt: date(row.secret_ends_at) } } : null
    },

    async changesAfter(change) {
      const rows = await db
        .selectFrom('key_changes')
        .selectAll()
        .where('number', '>=', change?.number ?? sql<number>`(select max(number) from key_changes)`)
        .orderBy('number')
        .execute()
      const [known, ...newer] = rows
      const isSame = change !== null && known?.number === change.number && known.mark === change.mark
      return { last: rows.at(-1) ?? null, hashes: isSame ? newer.map(({ hash }) => hash) : null }
    },

    ...keyListsIn(db),

    async named(workspaceId, nameOrHint) {
      const rows = await withUse(db)
        .where('keys.workspace_id', '=', workspaceId)
        .where((eb) => eb.or([eb('keys.name', '=', nameOrHint), eb('keys.hint', '=', nameOrHint)]))
        .orderBy('keys.id', 'desc')
        .execute()
      return rows.map(toKeyWithUse)
    },

    add(key, { hash }, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          if (key.ownerId !== null && !(await isMember(tx, key.workspaceId, key.ownerId)))
            throw new Refusal('forbidden', 'Whoever the key would belong to is no longer a member of this workspace.')
          if (await isKnown(tx, hash)) return false
          await tx.insertInto('keys').values(toRow(key)).execute()
          await addSecret(tx, key.id, { hash, hint: key.hint, createdAt: key.createdAt })
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },

    change(key, changed, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const row = await renewed(tx, key, toColumns(changed))
          if (!row) return null
          await append(tx, seal, entry)
          return toKey(row)
        })
        .finally(moved)
    },

    rotate(key, { hash, hint, overlapEndsAt }, now, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const row = await renewed(tx, key, { hint, overlap_ends_at: overlapEndsAt?.getTime() ?? null })
          if (!row) return null
          await tx
            .updateTable('key_secrets')
            .set({ ends_at: (overlapEndsAt ?? now).getTime(), last_used_at: lastUseOf(key.id) })
            .where('key_id', '=', key.id)
            .where('ends_at', 'is', null)
            .execute()
          await addSecret(tx, key.id, { hash, hint, createdAt: now })
          await append(tx, seal, entry)
          return toKey(row)
        })
        .finally(moved)
    },

    finishRotation(key, now, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const row = await renewed(tx, key, { overlap_ends_at: null })
          if (!row) return null
          await tx
            .updateTable('key_secrets')
            .set({ ends_at: now.getTime() })
            .where('key_id', '=', key.id)
            .where('ends_at', '>', now.getTime())
            .execute()
          await append(tx, seal, entry)
          return toKey(row)
        })
        .finally(moved)
    },

    revokeBySecret(hashes, now, reason, entryOf) {
      const at = now.getTime()
      let found = true
      return db
        .transaction()
        .execute(async (tx) => {
          const held = tx
            .selectFrom('key_secrets')
            .select('key_id')
            .where('hash', 'in', [...hashes])
            .where((eb) => eb.or([eb('ends_at', 'is', null), eb('ends_at', '>', at)]))
          const rows = await tx
            .updateTable('keys')
            .set(({ eb }) => ({ revoked_at: at, revoked_reason: reason, revision: eb('revision', '+', 1) }))
            .where('id', 'in', held)
            .where('revoked_at', 'is', null)
            .returningAll()
            .execute()
          const keys = rows.map(toKey)
          for (const key of keys) await append(tx, seal, entryOf(key))
          found = keys.length > 0
          return keys
        })
        .finally(() => found && moved()) // a stranger's empty report is no reason to read every key again
    },

    async revokedFor(workspaceId, reason, since) {
      const rows = await db
        .selectFrom('keys')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .where('revoked_at', '>=', since.getTime())
        .where('revoked_reason', '=', reason)
        .orderBy('revoked_at', 'desc')
        .orderBy('id', 'desc')
        .execute()
      return rows.map(toKey)
    },

    async everImported() {
      const found = await db
        .selectFrom('audit')
        .select('seq')
        .where('action', '=', sql.lit('key.imported')) // in so many letters, or its index is passed over
        .limit(1)
        .execute()
      return found.length > 0
    },

    remove(key, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const gone = await tx
            .deleteFrom('keys')
            .where('id', '=', key.id)
            .where('revision', '=', key.revision)
            .returning('id')
            .executeTakeFirst()
          if (!gone) return false
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },
  }
}

type FoundRow = KeyRow & { secret_ends_at: number | null }

/** Written once: writing it anew for each key costs more than reading the key. */
function queryByHash(db: Db) {
  return db
    .selectFrom('key_secrets')
    .innerJoin('keys', 'keys.id', 'key_secrets.key_id')
    .selectAll('keys')
    .select('key_secrets.ends_at as secret_ends_at')
    .where('key_secrets.hash', '=', '')
    .compile()
}

/** Undefined if another change came first. */
function renewed(tx: Tx, key: Key, columns: Partial<KeyRow>): Promise<KeyRow | undefined> {
  return tx
    .updateTable('keys')
    .set({ ...columns, revision: key.revision + 1 })
    .where('id', '=', key.id)
    .where('revision', '=', key.revision)
    .returningAll()
    .executeTakeFirst()
}

type AddedSecret = { hash: string; hint: string; createdAt: Date }

async function addSecret(tx: Tx, keyId: string, { hash, hint, createdAt }: AddedSecret): Promise<void> {
  const row = { hash, key_id: keyId, hint, created_at: createdAt.getTime() }
  await tx
    .insertInto('key_secrets')
    .values({ ...row, ends_at: null, last_used_at: null })
    .execute()
}

async function isKnown(tx: Tx, hash: string): Promise<boolean> {
  return (await tx.selectFrom('key_secrets').select('hash').where('hash', '=', hash).execute()).length > 0
}

/** Up to the rotation the only secret there was: its last use is the key's. */
function lastUseOf(keyId: string) {
  return sql<number | null>`(select nullif(last_used_at, 0) from key_use where key_id = ${keyId})`
}

async function isMember(tx: Tx, workspaceId: string, userId: string): Promise<boolean> {
  const found = await tx
    .selectFrom('members')
    .select('user_id')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Boolean(found)
}
