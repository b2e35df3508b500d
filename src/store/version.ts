import { openSync, readSync } from 'node:fs'
import type Database from 'better-sqlite3'

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

/**
 * Whether nobody at all has committed since the last look: reading the header takes a quarter of asking SQLite, which
 * locks and unlocks. The file is never closed: POSIX drops a process's locks on a file with any of its descriptors,
 * and SQLite's own are among them.
 */
function commitsOf(connection: Database.Database): () => boolean {
  if (connection.memory || process.platform === 'win32') return () => false
  const bytes = new Uint8Array(HEADER_BYTES)
  const words = new Uint32Array(bytes.buffer)
  const known = new Uint32Array(words.length)
  let file: number | null = null
  return () => {
    file ??= openSync(`${connection.name}-shm`, 'r')
    const isWhole = readSync(file, bytes, 0, HEADER_BYTES, 0) === HEADER_BYTES
    if (isWhole && words.every((word, i) => word === known[i])) return true
    if (!connection.inTransaction) known.set(words) // inside one SQLite tells of nothing that came after its beginning
    return false
  }
}
