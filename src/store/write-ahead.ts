import type Database from 'better-sqlite3'

const PATIENCE_MS = 5000

/**
 * Readers and a writer beside each other, and whoever finds a file locked waits for a while. To change how a new file is
 * written SQLite waits for nobody: of two who open it at once, one would be refused at once.
 */
export function writeAhead(connection: Database.Database): void {
  connection.pragma(`busy_timeout = ${PATIENCE_MS}`)
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      connection.pragma('journal_mode = WAL')
      return
    } catch (error) {
      const isBusy = (error as { code?: string }).code?.startsWith('SQLITE_BUSY') ?? false
      if (!isBusy || performance.now() > until) throw error
      Bun.sleepSync(5)
    }
  }
}
