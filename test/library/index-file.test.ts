import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { shelfOf } from '../../src/docs/engine.ts'
import { folder, library, repo } from './support.ts'

describe('the index in its file', () => {
  async function made() {
    const [dataDir, path] = [folder(), folder({ 'a.md': 'a walrus', 'b.md': 'an otter' })]
    const one = repo({ path })
    const first = await library([one], { dataDir })
    expect(await first.search([one], 'walrus', 5)).toHaveLength(1)
    await first.close()
    return { one, file: join(dataDir, 'docs.db'), again: () => library([one], { dataDir }) }
  }

  it('is for its own user alone', async () => {
    const { file } = await made()
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is taken up again as it was', async () => {
    const { one, again } = await made()
    const second = await again()
    expect(await second.search([one], 'walrus', 5)).toHaveLength(1)
    expect(second.log.warn).not.toHaveBeenCalled()
  })

  it.each([
    ['is no database', (file: string) => writeFileSync(file, 'nonsense '.repeat(1000))],
    ['is of another edition', (file: string) => edit(file, (db) => db.pragma('user_version = 999'))],
    ['is cut off', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 8192))],
    ['is overwritten in the middle', (file: string) => scribble(file)],
    ['lacks a table', (file: string) => edit(file, (db) => db.exec('drop table sections_1'))],
  ])('is made anew, with a line in the log, if it %s', async (_what, spoil) => {
    const { one, file, again } = await made()
    spoil(file)
    const second = await again()
    expect(await second.search([one], 'walrus', 5)).toHaveLength(1)
    expect(await second.search([one], 'otter', 5)).toHaveLength(1)
  })

  it('forgets repos that are gone', async () => {
    const { one, file, again } = await made()
    const second = await again()
    second.keep([])
    await second.state(one)
    await second.close()
    const db = new Database(file, { readonly: true })
    expect(db.prepare("select name from sqlite_master where name like 'sections%'").all()).toEqual([])
    db.close()
  })

  it('holds the manual once for all workspaces', async () => {
    const [one, two] = [repo({ source: 'manual' }), repo({ source: 'manual', workspaceId: 'wsp_2' })]
    expect(shelfOf(one)).toBe(shelfOf(two))
    const opened = await library([one, two])
    expect((await opened.state(one)).documents).toBeGreaterThan(5)
    opened.keep([two])
    expect(await opened.search([two], 'workspace', 3)).toHaveLength(3)
  })
})

function edit(file: string, act: (db: Database.Database) => void): void {
  const db = new Database(file)
  act(db)
  db.close()
}

/** All but the first page, which still looks like a database. */
function scribble(file: string): void {
  const bytes = readFileSync(file)
  bytes.fill(0xa5, 4096)
  writeFileSync(file, bytes)
}
