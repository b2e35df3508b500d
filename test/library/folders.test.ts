import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { readWithin } from '../../src/docs/read-file.ts'
import { LEADS_OUT } from '../../src/docs/walk.ts'
import { folder, library, over, repo, write } from './support.ts'

describe('a folder', () => {
  it('reads Markdown, MDX, text, reStructuredText and HTML, and nothing else', async () => {
    const { paths, state } = await over({
      'a.md': 'a walrus',
      'b.MDX': 'a walrus',
      'c.txt': 'a walrus',
      'd.rst': 'a walrus',
      'e.html': '<p>a walrus',
      'f.ts': 'a walrus',
      'g.json': '"a walrus"',
      walrus: 'a walrus',
    })
    expect((await paths('walrus')).sort()).toEqual(['a.md', 'b.MDX', 'c.txt', 'd.rst', 'e.html'])
    expect(await state()).toMatchObject({ documents: 5, skippedCount: 0, indexing: null, failure: null })
  })

  it('looks into no hidden folder and no node_modules', async () => {
    const { paths } = await over({
      '.git/a.md': 'a walrus',
      'node_modules/x/b.md': 'a walrus',
      'sub/.hidden.md': 'a walrus',
      'sub/c.md': 'a walrus',
    })
    expect(await paths('walrus')).toEqual(['sub/c.md'])
  })

  it('takes names with quotes, newlines and any other sign', async () => {
    const names = [`it's "so"\n.md`, 'ümläut/日本.md', "'; drop table documents; --.md", '%2e%2e.md', ' .md']
    const { paths, library, repo } = await over(Object.fromEntries(names.map((name) => [name, 'a walrus'])))
    expect((await paths('walrus')).sort()).toEqual([...names].sort())
    for (const path of names)
      expect(await library.read([repo], { repo: repo.name, path })).toMatchObject({ content: 'a walrus\n' })
  })

  it('says why it left something out', async () => {
    const { state, paths } = await over({
      'big.md': Buffer.alloc(10 * 1024 * 1024 + 1, 'walrus '),
      'tags.html': `${'<a""'.repeat(500_001)}walrus`,
      'lines.md': `${'\n'.repeat(500_001)}walrus`,
      'binary.md': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]),
      'good.md': 'a walrus',
    })
    const { skipped, skippedCount, documents } = await state()
    expect({ documents, skippedCount }).toEqual({ documents: 1, skippedCount: 4 })
    expect(Object.fromEntries(skipped.map(({ path, why }) => [path, why]))).toEqual({
      'big.md': 'It is 11 MB; a document may have 10.',
      'binary.md': 'It is no text.',
      'tags.html': 'It has more than 500,000 tags.',
      'lines.md': 'It has more than 500,000 lines.',
    })
    expect(await paths('walrus')).toEqual(['good.md'])
  })

  it('reads broken UTF-8, older encodings and UTF-16', async () => {
    const { paths } = await over({
      'cut.md': Buffer.concat([Buffer.from('# Größe\n\nder Walroß schläft '), Buffer.from([0xc3])]),
      'latin.md': Buffer.from('Der Esel schläft im Gebüsch', 'latin1'),
      'wide.md': Buffer.from('\ufeffein Otter schläft', 'utf16le'),
    })
    expect(await paths('Walroß')).toEqual(['cut.md'])
    expect(await paths('Gebüsch')).toEqual(['latin.md'])
    expect(await paths('otter')).toEqual(['wide.md'])
  })

  it('follows links within itself, and none that leads out or round', async () => {
    const outside = folder({ 'secret.md': 'a walrus outside' })
    const path = folder({
      'in/a.md': 'a walrus inside',
      '.git/config.md': 'a walrus and its password',
      'node_modules/x/c.md': 'a walrus of others',
      '..2026_06_01_12_00_00.123456789/b.md': 'a walrus in a volume',
    })
    symlinkSync(outside, join(path, 'out'))
    symlinkSync(join(outside, 'secret.md'), join(path, 'out.md'))
    symlinkSync('..', join(path, 'in/round'))
    symlinkSync('.', join(path, 'self'))
    symlinkSync('.git', join(path, 'repository'))
    symlinkSync('.git/config.md', join(path, 'notes.md'))
    symlinkSync('../node_modules/x/c.md', join(path, 'in/c.md'))
    symlinkSync('..2026_06_01_12_00_00.123456789', join(path, '..data'))
    symlinkSync('..data/b.md', join(path, 'b.md'))
    symlinkSync('in/a.md', join(path, 'again.md'))
    symlinkSync('nowhere.md', join(path, 'gone.md'))
    const one = repo({ path })
    const opened = await library([one])
    const hits = await opened.search([one], 'walrus', 20)
    expect(hits.map(({ path }) => path).sort()).toEqual(['again.md', 'b.md', 'in/a.md'])
    const { skipped } = await opened.state(one)
    expect(Object.fromEntries(skipped.map(({ path, why }) => [path, why]))).toEqual({
      out: LEADS_OUT,
      'out.md': LEADS_OUT,
      repository: LEADS_OUT,
      'notes.md': LEADS_OUT,
      'in/c.md': LEADS_OUT,
      'gone.md': 'The link leads nowhere.',
    })
  })

  it('reads nothing through a folder that became a link while it was read', async () => {
    const outside = folder({ 'a.md': 'a walrus outside' })
    const { path, find, refresh, state } = await over({ 'sub/a.md': 'a lion', 'b.md': 'a lion' })
    renameSync(join(path, 'sub'), join(path, '.was'))
    symlinkSync(outside, join(path, 'sub'))
    await refresh()
    expect(await find('walrus')).toEqual([])
    expect((await state()).documents).toBe(1)
  })

  it('reads nothing of a file that became a link to what is hidden', async () => {
    const { path, find, refresh } = await over({ 'a.md': 'a lion', '.git/config.md': 'a walrus' })
    rmSync(join(path, 'a.md'))
    symlinkSync('.git/config.md', join(path, 'a.md'))
    await refresh()
    expect(await find('walrus')).toEqual([])
    expect(await find('lion')).toEqual([])
    expect(readWithin({ root: path, apart: null }, 'a.md')).toEqual({ why: LEADS_OUT })
  })

  it('waits for no pipe, and reads no device', async () => {
    const { path, refresh, state } = await over({ 'a.md': 'a walrus' })
    execFileSync('mkfifo', [join(path, 'pipe.md')])
    symlinkSync('/dev/zero', join(path, 'zero.md'))
    await refresh()
    expect(await state()).toMatchObject({ documents: 1, failure: null })
  })

  it('outside the allowed roots is refused at each look, and forgotten', async () => {
    const root = folder({ 'docs/a.md': 'a walrus' })
    const outside = folder({ 'a.md': 'a walrus outside' })
    const one = repo({ path: join(root, 'docs') })
    const opened = await library([one], { roots: [root] })
    expect(await opened.search([one], 'walrus', 5)).toHaveLength(1)
    rmSync(join(root, 'docs'), { recursive: true })
    symlinkSync(outside, join(root, 'docs'))
    expect(await opened.refresh(one)).toMatchObject({
      documents: 0,
      failure: expect.stringContaining('CLAVIGER_DOCS_ROOTS'),
    })
    expect(await opened.search([one], 'walrus', 5)).toEqual([])
  })

  it('that is gone for a while is told, and found again', async () => {
    const { path, refresh, paths } = await over({ 'a.md': 'a walrus' })
    renameSync(path, `${path}.away`)
    expect((await refresh()).failure).toBe('The folder is not there, or may not be read.')
    expect(await paths('walrus')).toEqual([])
    renameSync(`${path}.away`, path)
    expect((await refresh()).failure).toBeNull()
    expect(await paths('walrus')).toEqual(['a.md'])
  })
})

describe('a change on disk', () => {
  it('is noticed by itself', async () => {
    const { path, paths } = await over({ 'a.md': 'a walrus' })
    write(path, { 'sub/b.md': 'an otter', 'a.md': 'a badger, not a sea animal' })
    await vi.waitFor(async () => expect(await paths('otter')).toEqual(['sub/b.md']), { timeout: 15_000, interval: 50 })
    await vi.waitFor(async () => expect(await paths('badger')).toEqual(['a.md']), { timeout: 15_000, interval: 50 })
    expect(await paths('walrus')).toEqual([])
  })

  it('that deletes a file shows in the very next search', async () => {
    const { path, paths, library, repo } = await over({ 'a.md': 'a walrus', 'b.md': 'a walrus' })
    const { id } = (await library.read([repo], { repo: repo.name, path: 'a.md' }))!
    rmSync(join(path, 'a.md'))
    expect(await paths('walrus')).toEqual(['b.md'])
    expect(await library.read([repo], { repo: repo.name, path: 'a.md' })).toBeNull()
    expect((await library.list(repo, { limit: 10 })).items.map(({ path }) => path)).toEqual(['b.md'])
    expect(await library.read([repo], { id })).toBeNull()
  })

  it('keeps the ids of all other documents, also when the index is made anew', async () => {
    const path = folder({ 'a.md': 'a walrus' })
    const one = repo({ path })
    const id = async () => (await (await library([one])).search([one], 'walrus', 1))[0]!.id
    const before = await id()
    write(path, { '0.md': 'first now' })
    expect(await id()).toBe(before)
  })

  it('is told once to who listens', async () => {
    const { path, library, repo, refresh } = await over({ 'a.md': 'a walrus' })
    const heard = vi.fn()
    const stop = library.onChange(heard)
    write(path, { 'b.md': 'an otter' })
    await refresh()
    expect(heard.mock.calls).toEqual([[[repo.id]]])
    await refresh()
    expect(heard).toHaveBeenCalledTimes(1)
    stop()
    rmSync(join(path, 'b.md'))
    await refresh()
    expect(heard).toHaveBeenCalledTimes(1)
  })
})

describe('many files', () => {
  it('are indexed while searches are answered', async () => {
    const path = folder()
    for (let at = 0; at < 40; at++) {
      mkdirSync(join(path, `d${at}`))
      for (let file = 0; file < 50; file++)
        writeFileSync(join(path, `d${at}/f${file}.md`), `# Note ${at} ${file}\n\nText.\n`)
    }
    write(path, { 'walrus.md': 'a walrus' })
    const [one, small] = [repo({ path }), repo({ path: folder({ 'otter.md': 'an otter' }) })]
    const opened = await library([small])
    opened.keep([small, one])
    const looking = opened.refresh(one)
    let answers = 0
    const asking = { on: true }
    const asked = (async () => {
      while (asking.on) {
        expect(await opened.search([small], 'otter', 1)).toHaveLength(1)
        answers++
        await new Promise((resolve) => setImmediate(resolve)) // as questions come to a thread: one at a time
      }
    })()
    const state = await looking
    asking.on = false
    await asked
    expect(state).toMatchObject({ documents: 2001, sections: 2001, indexing: null })
    expect(answers).toBeGreaterThan(5)
  })
})

describe('the data directory', () => {
  it('is nobody’s documentation, whatever root it lies in', async () => {
    const root = folder({ 'a.md': 'a walrus', 'data/claviger.md': 'a walrus in secret' })
    const dataDir = join(root, 'data')
    const [sent, around] = [repo(), repo({ path: root })]
    const within = repo({ path: join(dataDir, 'docs') })
    const opened = await library([sent], { roots: [root], dataDir })
    await opened.putFile(sent, 'theirs.md', new TextEncoder().encode('a walrus of theirs'))
    symlinkSync('data/docs', join(root, 'docs'))
    symlinkSync(`data/docs/${sent.id}/theirs.md`, join(root, 'theirs.md'))
    opened.keep([sent, around, within])
    expect(await opened.refresh(around)).toMatchObject({ documents: 1, skippedCount: 2 })
    expect(await opened.refresh(within)).toMatchObject({
      documents: 0,
      failure: expect.stringContaining('CLAVIGER_DOCS_ROOTS'),
    })
    expect((await opened.search([around, within], 'walrus', 9)).map(({ path }) => path)).toEqual(['a.md'])
    expect((await opened.list(sent, { limit: 9 })).items).toHaveLength(1)
  })
})
