import { type RawBuilder, sql } from 'kysely'
import type { Db } from './sqlite.ts'

/** Shorter words than this have no entry in the index of their letters. */
const INDEXED = 3

/** The keys with this in what people call them by, if there are at most so many; else null. */
export async function idsWithText(db: Db, workspaceId: string, search: string, most: number): Promise<string[] | null> {
  const { rows } = await withText(workspaceId, search, most + 1).execute(db)
  return rows.length > most ? null : rows.map(({ key_id }) => key_id)
}

/** As a query of their ids; a limit of -1 is none. */
export function withText(workspaceId: string, search: string, limit = -1): RawBuilder<{ key_id: string }> {
  const indexed = [...search].length >= INDEXED && !search.includes('\0') // which would end the question
  return (indexed ? lookUp : scan)(workspaceId, search, limit)
}

function lookUp(workspaceId: string, search: string, limit: number): RawBuilder<{ key_id: string }> {
  return sql`select key_texts.key_id from key_words cross join key_texts on key_texts.number = key_words.rowid
    where key_words match ${`"${search.replaceAll('"', '""')}"`} and key_texts.workspace_id = ${workspaceId} limit ${limit}`
}

/** SQLite's own `like` knows the Latin letters without accents in both sizes; of others each is asked for. */
function scan(workspaceId: string, search: string, limit: number): RawBuilder<{ key_id: string }> {
  const spellings = [...new Set([search, search.toLowerCase(), search.toUpperCase()])]
  return sql`select key_id from key_texts where workspace_id = ${workspaceId}
    and (${sql.join(
      spellings.map((spelling) => sql`text like ${patternFor(spelling)} escape '\\'`),
      sql` or `,
    )}) limit ${limit}`
}

/** Whether a key has this in its name, hint or description. */
export function matching(search: string): RawBuilder<boolean> {
  const pattern = patternFor(search.toLowerCase())
  const columns = ['keys.name', 'keys.hint', 'keys.description']
  return sql`(${sql.join(
    columns.map((column) => sql`lower(${sql.ref(column)}) like ${pattern} escape '\\'`),
    sql` or `,
  )})`
}

function patternFor(search: string): string {
  return `%${search.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`
}
