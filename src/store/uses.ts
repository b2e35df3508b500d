import type Database from 'better-sqlite3'
import type { UseStore } from '../core/store.ts'
import type { Db } from './sqlite.ts'

/** Twice a second on a busy server; no decision rests on them, so they move no version. */
export function usesIn(db: Db, connection: Database.Database): UseStore {
  const addUse = connection.prepare(
    `update key_use set last_used_at = @at, last_used_ip = @ip,
       last_used_client = coalesce(@client, last_used_client), request_count = request_count + @requests
     where key_id = @key_id`,
  )
  const addOldUse = connection.prepare('update key_secrets set last_used_at = @at where hash = @hash')
  return {
    async note(used, oldSecrets = []) {
      await db.connection().execute(async () =>
        withoutSync(connection, () => {
          for (const { keyId, at, ip, client, requests } of used)
            addUse.run({ key_id: keyId, at: at.getTime(), ip, client, requests })
          for (const { hash, at } of oldSecrets) addOldUse.run({ hash, at: at.getTime() })
        }),
      )
    },
  }
}

/** One transaction that a power cut may undo, though no kill of ours: the next change of somebody's syncs it too. */
function withoutSync(connection: Database.Database, write: () => void): void {
  connection.pragma('synchronous = NORMAL')
  try {
    connection.transaction(write).immediate()
  } finally {
    connection.pragma('synchronous = FULL')
  }
}
