import { createHash } from 'node:crypto'
import { NOTHING_READ, type RepoState } from '../core/docs.ts'
import { type Db, DISAGREES } from './file.ts'
import { quote } from './query.ts'
import { type Candidate, readingOf } from './rank.ts'
import type { Document } from './sections.ts'
import { partsOf, wordsOf } from './words.ts'

/** What the disk says of a file: as long as it says the same, the file is not read again. */
export type Stamp = { bytes: number; mtimeMs: number }

export type DocumentRow = { id: number; doc: string; path: string; title: string } & Stamp

export type SectionRow = {
  id: number
  document: number
  level: number
  heading: string
  trail: string
  anchor: string
  text: string
  lead: number
}

export type Shelf = ReturnType<typeof shelfIn>

const MOST_WORDS = 400_000
/** Words are looked through for those that no document holds any more once so large a part of the sections has gone. */
const WORN = 1 / 4
const WORDS_AT_ONCE = 500
const LONGEST_WORD = 40
const MOST_COUNTS = 5_000
const MOST_CANDIDATES = 2_000

/** The tables of one repo. No two repos share any, so nothing that is searched can reach into another. */
export function shelfIn(db: Db, name: string) {
  const number = numberOf(db, name)
  const t = { documents: `documents_${number}`, sections: `sections_${number}`, text: `text_${number}` }
  const words = `words_${number}`
  makeTables()
  const known = new Set<string>()
  /** How many words there are; null until it is asked. */
  let held: number | null = null
  let gone = 0
  let weededTo: string | null = null
  const sql = {
    stamps: db.prepare(`select path, bytes, mtime_ms as mtimeMs from ${t.documents}`),
    byPath: db.prepare(`select id, doc, path, title, bytes, mtime_ms as mtimeMs from ${t.documents} where path = ?`),
    byDoc: db.prepare(`select id, doc, path, title, bytes, mtime_ms as mtimeMs from ${t.documents} where doc = ?`),
    byId: db.prepare(`select id, doc, path, title, bytes, mtime_ms as mtimeMs from ${t.documents} where id = ?`),
    page: db.prepare(
      `select id, doc, path, title, bytes, mtime_ms as mtimeMs from ${t.documents}
       where path > ? and path >= ? and path < ? order by path limit ?`,
    ),
    addDocument: db.prepare(
      `insert into ${t.documents} (doc, path, title, bytes, mtime_ms) values (?, ?, ?, ?, ?) returning id`,
    ),
    dropDocument: db.prepare(`delete from ${t.documents} where id = ?`),
    addSection: db.prepare(
      `insert into ${t.sections} (document, level, heading, trail, anchor, text, lead) values (?, ?, ?, ?, ?, ?, ?)`,
    ),
    sectionsOf: db.prepare(`select * from ${t.sections} where document = ? order by id`),
    dropText: db.prepare(`delete from ${t.text} where rowid in (select id from ${t.sections} where document = ?)`),
    dropSections: db.prepare(`delete from ${t.sections} where document = ?`),
    addText: db.prepare(`insert into ${t.text} (rowid, title, heading, body, parts) values (?, ?, ?, ?, ?)`),
    addWord: db.prepare(`insert or ignore into ${words} values (?)`),
    countWords: db.prepare(`select count(*) from ${words}`).pluck(),
    wordsAfter: db.prepare(`select word from ${words} where word > ? order by word limit ${WORDS_AT_ONCE}`).pluck(),
    dropWord: db.prepare(`delete from ${words} where word = ?`),
    merge: db.prepare(`insert into ${t.text} (${t.text}, rank) values ('merge', ?)`),
    grow: db.prepare(
      `update shelves set documents = documents + ?, sections = sections + ?, updated_at = ? where id = ${number}`,
    ),
    note: db.prepare(
      `update shelves set progress = ?, skipped = ?, skipped_count = ?, failure = ? where id = ${number}`,
    ),
    noteProgress: db.prepare(`update shelves set progress = ? where id = ${number}`),
    bytes: db.prepare(`select coalesce(sum(bytes), 0) from ${t.documents}`).pluck(),
    sections: db.prepare(`select sections from shelves where id = ${number}`).pluck(),
    count: db.prepare(`select count(*) from ${t.text} where ${t.text} match ?`).pluck(),
    some: db.prepare(`select rowid as id from ${t.text} where ${t.text} match ? limit ?`),
    best: db.prepare(
      `select rowid as id from ${t.text} where ${t.text} match ? order by bm25(${t.text}, 4, 6, 1, 0.6) limit ?`,
    ),
    beginning: db.prepare(`select word from ${words} where word >= ? and word < ? limit ?`).pluck(),
    alike: db
      .prepare(`select word from ${words} where word >= ? and word < ? and length(word) between ? and ? limit ?`)
      .pluck(),
    section: db.prepare(`select * from ${t.sections} where id = ?`),
  }
  /** Moves with each change, so that what is remembered of the words before is not believed. */
  let edition = 0
  const counts = new Map<string, { count: number; edition: number }>()
  const candidates = { of: 0, known: new Map<number, Candidate>() }

  function makeTables(): void {
    db.exec(`
      create table if not exists ${t.documents} (
        id integer primary key, doc text not null, path text not null unique, title text not null,
        bytes integer not null, mtime_ms real not null
      ) strict;
      create index if not exists ${t.documents}_doc on ${t.documents} (doc);
      create table if not exists ${t.sections} (
        id integer primary key, document integer not null, level integer not null, heading text not null,
        trail text not null, anchor text not null, text text not null, lead integer not null
      ) strict;
      create index if not exists ${t.sections}_document on ${t.sections} (document);
      create virtual table if not exists ${t.text} using fts5 (
        title, heading, body, parts,
        content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
      );
      create table if not exists ${words} (word text primary key) strict, without rowid`)
  }

  function remember(text: string): void {
    held ??= sql.countWords.get() as number
    for (const word of wordsOf(text)) {
      if (known.has(word) || word.length < 3 || word.length > LONGEST_WORD || /^\d|\d{5}/.test(word)) continue
      if (held >= MOST_WORDS) return
      known.add(word)
      held += sql.addWord.run(word).changes
    }
  }

  function remove(path: string): { documents: number; sections: number } {
    const row = sql.byPath.get(path) as DocumentRow | undefined
    if (!row) return { documents: 0, sections: 0 }
    sql.dropText.run(row.id)
    const { changes } = sql.dropSections.run(row.id)
    sql.dropDocument.run(row.id)
    edition++
    gone += changes
    return { documents: 1, sections: changes }
  }

  /** How many sections hold it. */
  function counted(expression: string): number {
    const known = counts.get(expression)
    if (known?.edition === edition) return known.count
    if (counts.size >= MOST_COUNTS) counts.clear()
    const count = sql.count.get(expression) as number
    counts.set(expression, { count, edition })
    return count
  }

  function candidate(id: number): Candidate {
    if (candidates.of !== edition || candidates.known.size >= MOST_CANDIDATES) candidates.known.clear()
    candidates.of = edition
    const known = candidates.known.get(id)
    if (known) return known
    const section = sql.section.get(id) as SectionRow | undefined
    const document = section && (sql.byId.get(section.document) as DocumentRow | undefined)
    if (!section || !document) throw new Error(DISAGREES)
    const made = { section, document, reading: readingOf({ section, document }) }
    candidates.known.set(id, made)
    return made
  }

  return {
    name,
    stamps: () => sql.stamps.all() as ({ path: string } & Stamp)[],
    byPath: (path: string) => (sql.byPath.get(path) as DocumentRow | undefined) ?? null,
    byDoc: (doc: string) => (sql.byDoc.get(doc) as DocumentRow | undefined) ?? null,
    page: (after: string, prefix: string, limit: number) =>
      sql.page.all(after, prefix, `${prefix}\u{10ffff}`, limit) as DocumentRow[],
    sectionsOf: (document: number) => sql.sectionsOf.all(document) as SectionRow[],
    candidate,

    /** What was not written after all is not known either. */
    undone(): void {
      known.clear()
      held = null
    },

    put(path: string, { bytes, mtimeMs }: Stamp, { title, sections }: Document, now: Date): void {
      const gone = remove(path)
      edition++
      const doc = docOf(name, path)
      const { id } = sql.addDocument.get(doc, path, title, bytes, mtimeMs) as { id: number }
      const inPath = path.replace(/\.[^./]+$/, '').replace(/[/_.-]+/g, ' ')
      for (const { level, heading, trail, anchor, text, lead } of sections) {
        const { lastInsertRowid } = sql.addSection.run(id, level, heading, trail, anchor, text, lead)
        const body = text.slice(lead)
        sql.addText.run(lastInsertRowid, `${title} ${inPath}`, trail, body, partsOf(`${trail} ${body}`))
        remember(body)
      }
      remember(`${title} ${inPath} ${sections.map(({ heading }) => heading).join(' ')}`)
      sql.grow.run(1 - gone.documents, sections.length - gone.sections, now.getTime())
    },

    remove(path: string, now: Date): void {
      const gone = remove(path)
      if (gone.documents > 0) sql.grow.run(-gone.documents, -gone.sections, now.getTime())
    },

    /** Takes away some of the words that no document holds any more; true while there is more to do. */
    weed(): boolean {
      if (weededTo === null && gone <= (sql.sections.get() as number) * WORN) return false
      const some = sql.wordsAfter.all(weededTo ?? '') as string[]
      for (const word of some) if ((sql.count.get(quote(word)) as number) === 0) sql.dropWord.run(word)
      weededTo = some.at(-1) ?? null
      if (weededTo !== null) return true
      gone = 0
      known.clear()
      held = null
      return false
    },

    /** Joins some of the pieces that many small changes leave behind; true while there is more to do. */
    tidy(pages: number): boolean {
      const before = db.prepare('select total_changes()').pluck().get() as number
      sql.merge.run(pages)
      return (db.prepare('select total_changes()').pluck().get() as number) - before >= 2
    },

    note(state: Pick<RepoState, 'indexing' | 'skipped' | 'skippedCount' | 'failure'>): void {
      const { indexing, skipped, skippedCount, failure } = state
      sql.note.run(indexing && JSON.stringify(indexing), JSON.stringify(skipped), skippedCount, failure)
    },
    noteProgress: (indexing: RepoState['indexing']) => void sql.noteProgress.run(indexing && JSON.stringify(indexing)),

    bytes: () => sql.bytes.get() as number,
    sections: () => sql.sections.get() as number,
    count: counted,
    best: (expression: string, most: number) => sql.best.all(expression, most) as { id: number }[],
    /** Without putting all in order: those with the words in their headings first. */
    some(expression: string, most: number): { id: number }[] {
      const all = [`{title heading} : (${expression})`, `(${expression})`]
      return all.flatMap((one) => sql.some.all(one, most) as { id: number }[])
    },
    wordsBeginning: (start: string, most: number) => sql.beginning.all(start, `${start}\u{10ffff}`, most) as string[],
    wordsOfLength: (start: string, least: number, most: number, atMost: number) =>
      sql.alike.all(start, `${start}\u{10ffff}`, least, most, atMost) as string[],
  }
}

/** The same whenever the index is made anew, so that an id noted in a conversation stays good. */
export function docOf(shelf: string, path: string): string {
  return `doc_${createHash('sha256').update(`${shelf}\0${path}`).digest('hex').slice(0, 14)}`
}

export function dropShelf(db: Db, name: string): void {
  const number = db.prepare('select id from shelves where name = ?').pluck().get(name)
  if (number === undefined) return
  db.transaction(() => {
    for (const table of ['documents', 'sections', 'text', 'words'])
      db.exec(`drop table if exists ${table}_${number as number}`)
    db.prepare('delete from shelves where id = ?').run(number)
  })()
}

export function shelfNames(db: Db): string[] {
  return db.prepare('select name from shelves').pluck().all() as string[]
}

export function stateIn(db: Db, name: string): RepoState {
  const row = db.prepare('select * from shelves where name = ?').get(name) as
    | {
        documents: number
        sections: number
        updated_at: number | null
        progress: string | null
        skipped: string
        skipped_count: number
        failure: string | null
      }
    | undefined
  if (!row) return NOTHING_READ
  return {
    documents: row.documents,
    sections: row.sections,
    updatedAt: row.updated_at === null ? null : new Date(row.updated_at),
    indexing: row.progress === null ? null : JSON.parse(row.progress),
    skipped: JSON.parse(row.skipped),
    skippedCount: row.skipped_count,
    failure: row.failure,
  }
}

function numberOf(db: Db, name: string): number {
  db.prepare('insert or ignore into shelves (name) values (?)').run(name)
  return db.prepare('select id from shelves where name = ?').pluck().get(name) as number
}
