import { ConfigError } from '../config.ts'
import { Refusal } from '../core/refusal.ts'
import { UsageError } from './command.ts'

/** What to do about a database that will not open or write; the rest of SQLite's codes speak for themselves. */
const ABOUT_SQLITE: Record<string, string> = {
  SQLITE_CANTOPEN: 'The database cannot be opened. Run as the user that owns the data directory.',
  SQLITE_PERM: 'The database cannot be opened. Run as the user that owns the data directory.',
  SQLITE_READONLY: 'The database cannot be written. Run as the user that owns the data directory.',
  SQLITE_NOTADB: 'The file claviger.db is no database. Put a backup in its place.',
  SQLITE_CORRUPT: 'The database is damaged. Put a backup in its place.',
  SQLITE_FULL: 'The disk is full. Make room and try again; nothing was changed.',
  SQLITE_BUSY: 'Another process holds the database. Try again in a moment; nothing was changed.',
}

/** A wrong option or value is 2, any other failure 1. */
export function exitCodeOf(error: unknown): 1 | 2 {
  const wrongUsage =
    error instanceof UsageError ||
    error instanceof ConfigError ||
    (error instanceof Refusal && error.code === 'validation_failed')
  return wrongUsage ? 2 : 1
}

export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string') return error.message
  const known = Object.keys(ABOUT_SQLITE).find((name) => code === name || code.startsWith(`${name}_`))
  if (known) return ABOUT_SQLITE[known]!
  return ['EACCES', 'EPERM'].includes(code)
    ? `${error.message}. Run as the user that owns the data directory.`
    : error.message
}
