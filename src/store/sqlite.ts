import Database from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Tables } from './tables.ts'
import { writeAhead } from './write-ahead.ts'

export type Db = Kysely<Tables>
export type Tx = Db

/** One connection with the pragmas that durability and order rest on; none of them is a given. */
export function connect(file: string): Database.Database {
  const connection = new Database(file)
  writeAhead(connection)
  connection.pragma('synchronous = FULL') // with NORMAL, a power cut may undo the last revocation
  connection.pragma('wal_autocheckpoint = 8000') // pages, 32 MB: calls wait for each checkpoint
  connection.pragma('foreign_keys = ON')
  connection.pragma('trusted_schema = OFF')
  connection.function('lower', { deterministic: true }, lower)
  return connection
}

/** SQLite's own knows the Latin letters without accents alone. */
function lower(text: unknown): unknown {
  return typeof text === 'string' ? text.toLowerCase() : text
}

export function kyselyOn<T = Tables>(connection: Database.Database): Kysely<T> {
  const database = { close: () => connection.close(), prepare: preparedOnce(connection) }
  return new Kysely<T>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new ImmediateDriver({ database }),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** Takes the write lock at once: a transaction that reads first and then writes never fails halfway as busy. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

/** kysely prepares a statement at each execution; the same few hundred texts come again and again. */
function preparedOnce(connection: Database.Database): (sql: string) => Database.Statement<unknown[]> {
  const known = new Map<string, Database.Statement<unknown[]>>()
  return (sql) => {
    let statement = known.get(sql)
    if (!statement) {
      if (known.size >= 500) known.clear()
      statement = connection.prepare<unknown[]>(sql)
      known.set(sql, statement)
    }
    return statement
  }
}
