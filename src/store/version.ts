import type Database from 'better-sqlite3'

export type Version = { now(): number; seen(): number; moved(): void }

/** Moves when what was read may be out of date: by our own changes, or (PRAGMA data_version) by other connections'. */
export function versionOf(connection: Database.Database): Version {
  const readOthers = connection.prepare('PRAGMA data_version').pluck()
  let others = readOthers.get()
  let count = 0
  return {
    now() {
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
