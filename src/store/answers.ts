import type { Store } from '../core/store.ts'
import type { Db } from './sqlite.ts'

export function answersIn(db: Db): Store['answers'] {
  return {
    async begin(caller, key, fingerprint, now) {
      const began = await db
        .insertInto('answers')
        .values({ caller, idempotency_key: key, fingerprint, begun_at: now.getTime(), status: null, body: null })
        .onConflict((conflict) => conflict.columns(['caller', 'idempotency_key']).doNothing())
        .returning('caller')
        .executeTakeFirst()
      if (began) return null
      const known = await db
        .selectFrom('answers')
        .select(['fingerprint', 'status', 'body'])
        .where('caller', '=', caller)
        .where('idempotency_key', '=', key)
        .executeTakeFirst()
      return known ?? { fingerprint, status: null, body: null }
    },

    async finish(caller, key, status, body) {
      await db
        .updateTable('answers')
        .set({ status, body })
        .where('caller', '=', caller)
        .where('idempotency_key', '=', key)
        .execute()
    },

    async forget(caller, key) {
      await db.deleteFrom('answers').where('caller', '=', caller).where('idempotency_key', '=', key).execute()
    },

    async sweep(before) {
      await db.deleteFrom('answers').where('begun_at', '<', before.getTime()).execute()
    },
  }
}
