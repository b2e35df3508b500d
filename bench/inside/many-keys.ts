import Database from 'better-sqlite3'
import { hashOf, hintOf, newFullKey } from '../../src/core/keys/format.ts'
import type { Secrets } from '../../src/core/secret.ts'
import { databaseFile } from '../../src/store/data-dir.ts'

/**
 * So many keys more, each a copy of one that was issued: a hundred thousand transactions with their audit lines would
 * take minutes. Columns are read from the tables themselves, so that a new one is copied too.
 */
export function multiplyKeys(folder: string, secrets: Secrets, count: number): string[] {
  const database = new Database(databaseFile(folder))
  try {
    const pattern = database.prepare('select * from keys limit 1').get() as Record<string, unknown>
    const secretPattern = database.prepare('select * from key_secrets limit 1').get() as Record<string, unknown>
    const addKey = database.prepare(insertInto('keys', pattern))
    const addSecret = database.prepare(insertInto('key_secrets', secretPattern))
    const fullKeys: string[] = []
    database.transaction(() => {
      for (let i = 0; i < count; i++) {
        const fullKey = newFullKey('clv', 'live').reveal()
        const own = { hint: hintOf(fullKey) }
        const id = `${String(pattern.id).slice(0, -12)}${i.toString(16).padStart(12, '0')}`
        addKey.run({ ...pattern, ...own, id, name: `copy ${i}` })
        addSecret.run({ ...secretPattern, ...own, key_id: id, hash: hashOf(fullKey, secrets) })
        fullKeys.push(fullKey)
      }
    })()
    return fullKeys
  } finally {
    database.close()
  }
}

function insertInto(table: string, row: Record<string, unknown>): string {
  const columns = Object.keys(row)
  return `insert into ${table} (${columns.join(', ')}) values (${columns.map((name) => `@${name}`).join(', ')})`
}
