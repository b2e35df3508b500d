import type { KeyObject } from 'node:crypto'
import type { Store } from '../core/store.ts'
import type { Session } from '../core/workspaces/workspace.ts'
import { append } from './audit.ts'
import type { Db } from './sqlite.ts'
import type { SessionRow } from './tables.ts'

export function sessionsIn(db: Db, seal: KeyObject): Store['sessions'] {
  return {
    add(session, passwordHash, tokenHash, entry) {
      return db.transaction().execute(async (tx) => {
        const proven = await tx
          .selectFrom('users')
          .select('id')
          .where('id', '=', session.userId)
          .where('password_hash', '=', passwordHash)
          .executeTakeFirst()
        if (!proven) return false
        await tx.insertInto('sessions').values(toRow(session, tokenHash)).execute()
        await append(tx, seal, entry)
        return true
      })
    },

    async byToken(tokenHash) {
      const row = await db.selectFrom('sessions').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst()
      return row ? toSession(row) : null
    },

    async ofUser(userId, now) {
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .where('ends_at', '>', now.getTime())
        .orderBy('last_seen_at', 'desc')
        .execute()
      return rows.map(toSession)
    },

    async touch(id, lastSeenAt) {
      await db.updateTable('sessions').set({ last_seen_at: lastSeenAt.getTime() }).where('id', '=', id).execute()
    },

    async end(id, entry) {
      await db.transaction().execute(async (tx) => {
        const ended = await tx.deleteFrom('sessions').where('id', '=', id).returning('id').executeTakeFirst()
        if (ended) await append(tx, seal, entry)
      })
    },

    async endAll(userId, except, entry) {
      await db.transaction().execute(async (tx) => {
        await tx
          .deleteFrom('sessions')
          .where('user_id', '=', userId)
          .where('id', '!=', except ?? '')
          .execute()
        await append(tx, seal, entry)
      })
    },

    async sweep(now) {
      await db.deleteFrom('sessions').where('ends_at', '<=', now.getTime()).execute()
    },
  }
}

function toRow(session: Session, tokenHash: string): SessionRow {
  return {
    id: session.id,
    token_hash: tokenHash,
    user_id: session.userId,
    created_at: session.createdAt.getTime(),
    last_seen_at: session.lastSeenAt.getTime(),
    ends_at: session.endsAt.getTime(),
    address: session.address,
    user_agent: session.userAgent,
  }
}

function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    userId: row.user_id,
    createdAt: new Date(row.created_at),
    lastSeenAt: new Date(row.last_seen_at),
    endsAt: new Date(row.ends_at),
    address: row.address,
    userAgent: row.user_agent,
  }
}
