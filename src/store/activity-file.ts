import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import type { ActivityStore } from '../core/store.ts'
import { adding, COLUMNS, LINES, toLine, type Values, valuesIn } from './activity-lines.ts'
import { dayOf, NAMES } from './activity-names.ts'
import { callersOf } from './callers.ts'
import { kyselyOn } from './sqlite.ts'
import type { ActivityTables } from './tables.ts'
import { writeAhead } from './write-ahead.ts'

/** The open file: what is asked of activity, but lines come as one text (activity-lines.ts). */
export type ActivityFile = Omit<ActivityStore, 'write'> & {
  write(text: string): Promise<void>
  close(): Promise<void>
}

/** So many old lines go at once: whatever else is asked waits no longer. */
const SWEPT = 1_000

/** A file of their own beside the database: lines never move its version, and copies of what matters stay small. */
export function activityBeside(database: string): string {
  return database === ':memory:' ? database : join(dirname(database), 'activity.db')
}

export function openActivity(file: string): ActivityFile {
  const connection = connect(file)
  const db = kyselyOn<ActivityTables>(connection)
  const write = connection.transaction(adding(connection))
  let closed = false
  return {
    write: async (text) => write.immediate(valuesIn(text)),

    async list(query, page) {
      let rows = db.selectFrom('call').selectAll().where('workspace_id', '=', query.workspaceId)
      if (query.keyId) rows = rows.where('key_id', '=', query.keyId)
      if (page.cursor) rows = rows.where('id', '<', Number(page.cursor))
      const found = await rows
        .orderBy('id', 'desc')
        .limit(page.limit + 1)
        .execute()
      const shown = found.slice(0, page.limit)
      return { items: shown.map(toLine), nextCursor: found.length > page.limit ? String(shown.at(-1)!.id) : null }
    },

    callersOf: (workspaceId, keyId, since) => callersOf(db, workspaceId, keyId, since),

    async sweep(before) {
      while (!closed) {
        const oldest = db.selectFrom('line').select('id').orderBy('id').limit(SWEPT)
        const { numDeletedRows } = await db
          .deleteFrom('line')
          .where('id', 'in', oldest)
          .where('at', '<', before.getTime())
          .executeTakeFirst()
        if (numDeletedRows < SWEPT) break
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (!closed) await db.deleteFrom('name').where('day', '<', dayOf(before.getTime())).execute()
    },

    close() {
      closed = true
      return db.destroy()
    },
  }
}

/**
 * Lines of a database that still had them among the rest, before they are dropped there. They are here for good when
 * this returns; whoever was killed between the two finds those that it has.
 */
export function carryOver(from: Database.Database, file: string): void {
  if (from.prepare('select 1 from activity limit 1').get() === undefined) return
  const into = connect(file)
  try {
    into.pragma('synchronous = FULL')
    const columns = ['id', ...COLUMNS]
    const lines = from
      .prepare<[], Values>(`select ${columns.join(', ')} from activity order by id`)
      .raw()
      .iterate()
    into.transaction(adding(into, columns)).immediate(lines)
  } finally {
    into.close()
  }
}

/** A power cut may undo the last lines, though no kill of ours. */
function connect(file: string): Database.Database {
  const connection = new Database(file)
  try {
    writeAhead(connection)
    connection.pragma('synchronous = NORMAL')
    connection.pragma('trusted_schema = OFF')
    connection.exec(NAMES + LINES)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}
