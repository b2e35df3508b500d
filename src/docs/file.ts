import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Log } from '../log.ts'

export type Db = Database.Database

/** Raised whenever the tables below, or how documents are cut, change: an index of another edition is made anew. */
const EDITION = 1

/** The index, in a file of its own. All of it can be read from the documents again: one that is damaged is replaced. */
export function openIndex(file: string, log: Pick<Log, 'warn'>): Db {
  if (file === ':memory:') return prepared(new Database(file))
  try {
    return opened(file)
  } catch (error) {
    if (!isDamage(error)) throw error
    log.warn('The index of the documents was damaged and is made anew', { file, why: (error as Error).message })
    removeIndex(file)
    return opened(file)
  }
}

/** For the command line, beside a server that writes: null if there is none yet. */
export function readIndex(file: string): Db | null {
  if (!existsSync(file)) return null
  try {
    const db = new Database(file, { readonly: true })
    db.pragma('busy_timeout = 5000')
    if (editionOf(db) === EDITION) return db
    db.close()
  } catch {
    // the server makes it anew
  }
  return null
}

export function removeIndex(file: string): void {
  for (const end of ['', '-wal', '-shm']) {
    try {
      rmSync(file + end, { force: true })
    } catch {
      renameSync(file + end, `${file}${end}.damaged`) // a directory, or held open on Windows
    }
  }
}

/** Whether the file, and not what was asked of it, is at fault. */
export function isDamage(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return (
    /^SQLITE_(?:CORRUPT|NOTADB|IOERR_SHORT_READ|CANTOPEN_ISDIR)/.test(code) ||
    [EDITION_DIFFERS, DISAGREES].includes(message) ||
    /database disk image is malformed|no such table/.test(message)
  )
}

export function isOfDatabase(error: unknown): boolean {
  return isDamage(error) || ((error as { code?: string }).code ?? '').startsWith('SQLITE_')
}

const EDITION_DIFFERS = 'it is of another edition'
export const DISAGREES = 'its tables disagree'

function opened(file: string): Db {
  closeSync(openSync(file, 'a', 0o600)) // documents may be as secret as anything beside them
  const db = new Database(file)
  try {
    db.pragma('busy_timeout = 5000')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL') // what a power cut takes is read from the documents again
    const edition = editionOf(db)
    if (edition !== EDITION && edition !== 0) throw new Error(EDITION_DIFFERS)
    return prepared(db)
  } catch (error) {
    db.close()
    throw error
  }
}

function editionOf(db: Db): number {
  return db.pragma('user_version', { simple: true }) as number
}

function prepared(db: Db): Db {
  db.exec(`
    create table if not exists shelves (
      id integer primary key,
      name text not null unique,
      documents integer not null default 0,
      sections integer not null default 0,
      updated_at integer,
      progress text,
      skipped text not null default '[]',
      skipped_count integer not null default 0,
      failure text
    ) strict`)
  db.pragma(`user_version = ${EDITION}`)
  return db
}
