import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Db, openIndex } from '../../src/docs/file.ts'
import { keeperOf } from '../../src/docs/keeper.ts'
import { documentOf } from '../../src/docs/sections.ts'
import { shelfIn } from '../../src/docs/shelf.ts'
import { folderSource, type Source } from '../../src/docs/source.ts'
import { folder, write } from './support.ts'

/** One keeper over a folder, and the index it writes to. */
function keeping(files: Record<string, string>, change: (source: Source) => Partial<Source> = () => ({})) {
  const path = folder(files)
  const db = openIndex(join(folder(), 'docs.db'), { warn: vi.fn() })
  const source = folderSource(path, { roots: [path], apart: null })
  const failed = vi.fn()
  const shelf = shelfIn(db, 'one')
  const keeper = keeperOf({
    db,
    shelf,
    source: { ...source, ...change(source) },
    now: () => new Date('2026-06-01'),
    changed: () => {},
    failed,
  })
  onTestFinished(async () => {
    await keeper.end()
    db.close()
  })
  return { path, db, keeper, shelf, failed }
}

describe('one file that changes', () => {
  it('is looked at alone, put, replaced or taken away', async () => {
    const list = vi.fn()
    const { path, keeper } = keeping({ 'a.md': 'a walrus' }, (source) => ({
      list(...args) {
        list()
        return source.list(...args)
      },
    }))
    await keeper.look()
    write(path, { 'sub/b.md': 'an otter' })
    await keeper.lookAt('sub/b.md')
    expect(keeper.state()).toMatchObject({ documents: 2 })
    rmSync(join(path, 'a.md'))
    await keeper.lookAt('a.md')
    expect(keeper.state()).toMatchObject({ documents: 1, failure: null })
    expect(list).toHaveBeenCalledTimes(1)
  })

  it('is looked at with all others where it is passed over', async () => {
    const { path, keeper } = keeping({ 'a.md': 'a walrus' })
    await keeper.look()
    write(path, { 'a.md': new Uint8Array(100) })
    await keeper.lookAt('a.md')
    expect(keeper.state()).toMatchObject({ documents: 0, skipped: [{ path: 'a.md', why: 'It is no text.' }] })
    write(path, { 'a.md': 'a walrus again' })
    await keeper.lookAt('a.md')
    expect(keeper.state()).toMatchObject({ documents: 1, skippedCount: 0 })
  })
})

describe('the words that spelling is corrected by', () => {
  const wordsIn = (db: Db) => db.prepare('select word from words_1 order by word').pluck().all()

  it('go with the last document that holds them, once much has gone', async () => {
    const { path, db, keeper } = keeping({ 'a.md': 'giraffes', 'b.md': 'giraffes and walruses', 'c.md': 'otters' })
    await keeper.look()
    expect(wordsIn(db)).toEqual(['and', 'giraffes', 'otters', 'walruses'])
    rmSync(join(path, 'b.md'))
    rmSync(join(path, 'c.md'))
    await keeper.look()
    expect(wordsIn(db)).toEqual(['giraffes'])
    write(path, { 'd.md': 'otters' })
    await keeper.look()
    expect(wordsIn(db)).toEqual(['giraffes', 'otters'])
  })

  it('are counted with those that an earlier run left', () => {
    const { db, shelf } = keeping({})
    const add = db.prepare('insert into words_1 values (?)')
    db.transaction(() => {
      for (let at = 0; at < 399_999; at++) add.run(`w${at}`)
    })()
    shelf.put('a.md', { bytes: 1, mtimeMs: 1 }, documentOf('a.md', 'giraffe walrus otter'), new Date())
    expect(wordsIn(db)).toHaveLength(400_000)
  })
})

describe('a look that fails', () => {
  it('is told to who waits for it and in the state, until one succeeds', async () => {
    const { path, db, keeper, failed } = keeping({ 'a.md': 'a walrus' })
    await keeper.look()
    const pages = db.pragma('page_count', { simple: true }) as number
    db.pragma(`max_page_count = ${pages}`)
    write(path, { 'b.md': 'An otter. '.repeat(100_000) })
    await expect(keeper.look()).rejects.toMatchObject({ code: 'SQLITE_FULL' })
    expect(failed).toHaveBeenCalledTimes(1)
    expect(keeper.state()).toMatchObject({ documents: 1, failure: 'The disk of the server is full.' })
    db.pragma('max_page_count = 1000000')
    await keeper.look()
    expect(keeper.state()).toMatchObject({ documents: 2, failure: null })
  })

  it('over one document leaves it out, and reads all others', async () => {
    const { keeper, failed } = keeping({ 'a.md': 'a walrus', 'b.md': 'an otter', 'c.md': 'a lion' }, (source) => ({
      read(root, path) {
        if (path === 'b.md') throw new RangeError('Maximum call stack size exceeded')
        return source.read(root, path)
      },
    }))
    await keeper.look()
    await keeper.look()
    expect(failed).toHaveBeenCalledTimes(1)
    expect(keeper.state()).toMatchObject({
      documents: 2,
      failure: null,
      skipped: [{ path: 'b.md', why: 'It could not be read; the log of the server says more.' }],
    })
  })
})
