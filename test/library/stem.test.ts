import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { texts } from '../../bench/library/quality.ts'
import { porter } from '../../src/docs/stem.ts'

it('stems every word of the texts as the index does', () => {
  const words = [...new Set(texts().flatMap(({ text }) => text.toLowerCase().match(/[a-z]+/g) ?? []))]
  expect(words.length).toBeGreaterThan(1500)
  const db = new Database(':memory:')
  db.exec("create virtual table words using fts5 (word, tokenize = 'porter unicode61')")
  db.exec("create virtual table terms using fts5vocab (words, 'instance')")
  const add = db.prepare('insert into words (rowid, word) values (?, ?)')
  for (const [at, word] of words.entries()) add.run(at, word)
  const terms = db.prepare('select term from terms order by doc').pluck().all()
  db.close()
  expect(words.map(porter)).toEqual(terms)
})
