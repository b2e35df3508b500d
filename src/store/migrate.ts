import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type Database from 'better-sqlite3'

/** What has to be done in the same transaction ahead of a migration, and is more than SQL can say. */
type Ahead = Record<string, () => void>

/**
 * Runs what is pending in one transaction, after a copy of a database that already holds something: a failed upgrade
 * leaves one that the version before still starts on, and whoever starts at the same moment waits and finds it done.
 */
export function migrate(connection: Database.Database, folder: string, now: Date, ahead: Ahead = {}): string[] {
  connection.exec('create table if not exists migrations (name text primary key, at integer not null) strict')
  const known = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const done = new Set(connection.prepare('select name from migrations').pluck().all() as string[])
  const newer = [...done].filter((name) => !known.includes(name))
  if (newer.length > 0)
    throw new Error(
      `This database was made by a newer Claviger (it has ${newer.join(', ')}). Start that version again, or restore the copy it took before migrating, in backups/.`,
    )
  const pending = known.filter((name) => !done.has(name))
  if (pending.length === 0) return []
  if (done.size > 0 && !connection.memory) copyBefore(connection, pending[0]!)
  return connection
    .transaction(() => pending.filter((name) => run(connection, folder, name, now, ahead[name])))
    .immediate()
}

/** False if another process that started with us has run it meanwhile. */
function run(connection: Database.Database, folder: string, name: string, now: Date, ahead?: () => void): boolean {
  const { changes } = connection
    .prepare('insert into migrations (name, at) values (?, ?) on conflict do nothing')
    .run(name, now.getTime())
  if (changes === 0) return false
  ahead?.()
  connection.exec(readFileSync(join(folder, name), 'utf8'))
  return true
}

/** One copy for each upgrade, however often it is tried: a server that fails and restarts must not fill the disk. */
function copyBefore(connection: Database.Database, migration: string): void {
  const backups = join(dirname(connection.name), 'backups')
  mkdirSync(backups, { recursive: true, mode: 0o700 })
  const copy = join(backups, `before-${migration.replace('.sql', '')}.db`)
  const draft = `${copy}.${randomBytes(6).toString('hex')}`
  try {
    connection.prepare('vacuum into ?').run(draft)
    chmodSync(draft, 0o600)
    renameSync(draft, copy)
  } finally {
    rmSync(draft, { force: true })
  }
}
