import { openSync, readSync, realpathSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { mapped } from './mapped.ts'

export type Version = { now(): number; seen(): number; moved(): void }

/** Moves when what was read may be out of date: by our own changes, or (PRAGMA data_version) by other connections'. */
export function versionOf(connection: Database.Database): Version {
  const readOthers = connection.prepare('PRAGMA data_version').pluck()
  const sameAsBefore = commitsOf(connection)
  let others = readOthers.get()
  let count = 0
  return {
    now() {
      if (sameAsBefore()) return count
      const seen = readOthers.get()
      if (seen !== others) {
        others = seen
        count++
      }
      return count
    },
    seen: () => count,
    moved() {
      count++
    },
  }
}

/** In the `-shm` file the index of the log begins with a header that every commit changes, whoever makes it. */
const HEADER_BYTES = 48

/** Whether nobody at all has committed since the last look: to ask SQLite, which locks and unlocks, takes microseconds. */
function commitsOf(connection: Database.Database): () => boolean {
  const hasLog = connection.pragma('journal_mode', { simple: true }) === 'wal'
  if (!hasLog || process.platform === 'win32') return () => false
  const known = new Uint32Array(HEADER_BYTES / 4)
  let header: (() => Uint32Array | null) | null = null
  return () => {
    header ??= headerOf(`${realpathSync(connection.name)}-shm`) // beside the file itself, not beside a link to it
    const words = header()
    if (!words) return false
    if (isSame(words, known)) return true
    if (!connection.inTransaction) known.set(words) // inside one SQLite tells of nothing that came after its beginning
    return false
  }
}

/**
 * How the header is read: as memory, which is free, or else by a call of the system. SQLite maps the same pages for as
 * long as it has the database open. The file is never closed: POSIX drops a process's locks on a file with any of its
 * descriptors, and SQLite's own are among them.
 */
function headerOf(path: string): () => Uint32Array | null {
  const file = openSync(path, 'r')
  const bytes = new Uint32Array(HEADER_BYTES / 4)
  const isWhole = () => readSync(file, bytes, 0, HEADER_BYTES, 0) === HEADER_BYTES
  const shared = isWhole() ? mapped(file, HEADER_BYTES) : null // beyond the end of a file there is no memory
  if (!shared) return () => (isWhole() ? bytes : null)
  const words = new Uint32Array(shared)
  return () => words
}

function isSame(some: Uint32Array, others: Uint32Array): boolean {
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false
  return true
}
