import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type Database from 'better-sqlite3'

/** Runs what is pending, a transaction for each file, after a copy of a database that already holds something. */
export function migrate(connection: Database.Database, folder: string, now: Date): string[] {
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
  if (pending.length > 0 && done.size > 0 && !connection.memory) copyBefore(connection, pending[0]!, now)
  for (const name of pending) {
    const run = connection.transaction(() => {
      const ranMeanwhile = connection.prepare('select 1 from migrations where name = ?').get(name)
      if (ranMeanwhile) return
      connection.exec(readFileSync(join(folder, name), 'utf8'))
      connection.prepare('insert into migrations (name, at) values (?, ?)').run(name, now.getTime())
    })
    run.immediate()
  }
  return pending
}

function copyBefore(connection: Database.Database, migration: string, now: Date): void {
  const backups = join(dirname(connection.name), 'backups')
  mkdirSync(backups, { recursive: true, mode: 0o700 })
  const stamp = now.toISOString().replace(/[:.]/g, '-')
  const copy = join(backups, `before-${migration.replace('.sql', '')}-${stamp}.db`)
  connection.prepare('vacuum into ?').run(copy)
}
