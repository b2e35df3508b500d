import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Eta } from 'eta'
import { afterEach, describe, expect, it } from 'vitest'
import { viewsFolder } from '../../src/assets.ts'
import { type Started, start } from '../support/start.ts'
import { zipOf } from '../support/zip.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function root(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'claviger-roots-')))
  folders.push(made)
  mkdirSync(join(made, 'handbook'))
  writeFileSync(join(made, 'handbook', 'holidays.md'), '# Holidays\n\nEverybody has thirty days of leave.\n')
  return made
}

async function admin(env: Record<string, string> = {}) {
  const app = await start({ env })
  const { cookie } = await app.person('admin')
  const page = '/admin/w/main/repos'
  return {
    app,
    cookie,
    page,
    see: async (path: string, headers = {}) => (await app.call('GET', page + path, { cookie, headers })).text(),
    send: (path: string, form: Record<string, string>) => app.call('POST', page + path, { cookie, form }),
    upload: (name: string, files: Record<string, string | Uint8Array<ArrayBuffer>>) => upload(app, cookie, name, files),
  }
}

/** As a browser sends it without scripts. */
function upload(
  { origin }: Started,
  cookie: string,
  name: string,
  files: Record<string, string | Uint8Array<ArrayBuffer>>,
): Promise<Response> {
  const body = new FormData()
  for (const [path, content] of Object.entries(files)) body.append('files', new File([content], path))
  return fetch(`${origin}/admin/w/main/repos/${name}/upload`, {
    method: 'POST',
    body,
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
    redirect: 'manual',
  })
}

describe('a repo of files', () => {
  it('takes single files and zips, and finds what is in them', async () => {
    const { send, see, upload } = await admin()
    expect((await send('', { name: 'notes', source: 'files', environments: 'live' })).status).toBe(303)
    const zip = zipOf({ 'guides/holidays.md': '# Holidays\n\nThirty days of leave.\n' })
    const sent = await upload('notes', { 'lunch.txt': 'The canteen opens at noon.', 'more.zip': zip })
    expect([sent.status, sent.headers.get('location')]).toEqual([303, '/admin/w/main/repos/notes'])
    const html = await see('/notes')
    expect(html).toContain('guides/holidays.md')
    expect(html).toContain('lunch.txt')
    expect(await see('?q=canteen')).toContain('The canteen opens at noon.')
    expect(await see('?q=canteen', { 'hx-request': 'true' })).not.toContain('<html')
  })

  it('names what it did not take, and has the rest', async () => {
    const { send, see, upload } = await admin()
    await send('', { name: 'notes', source: 'files', environments: 'live' })
    const sent = await upload('notes', { 'good.md': '# Good', 'photo.png': 'x', 'odd.zip': 'this is no zip' })
    const html = await sent.text()
    expect(sent.status).toBe(422)
    expect(html).toContain('photo.png')
    expect(html).toContain('odd.zip')
    expect(await see('/notes')).toContain('good.md')
    const none = await upload('notes', { '': '' })
    expect([none.status, await none.text()]).toEqual([422, expect.stringContaining('Choose a file first.')])
  })

  it('loses a file after a second page, and all of them with the repo', async () => {
    const { send, see, upload } = await admin()
    await send('', { name: 'notes', source: 'files', environments: 'live' })
    await upload('notes', { 'lunch.txt': 'The canteen opens at noon.', 'tea.txt': 'Tea is at four.' })
    expect(await see('/notes/remove-file?path=lunch.txt')).toContain('Remove the file')
    await send('/notes/remove-file', { path: 'lunch.txt' })
    expect(await see('?q=canteen')).toContain('Nothing is found')
    expect(await see('/notes/remove')).toContain('1 document')
    await send('/notes/remove', {})
    expect(await see('?q=tea')).not.toContain('Tea is at four.')
  })

  it('keeps its settings apart from its files', async () => {
    const { app, send, see, upload } = await admin()
    await send('', { name: 'notes', source: 'files', environments: 'live' })
    await upload('notes', { 'tea.txt': 'Tea is at four.' })
    const changed = await send('/notes', { name: 'diary', environments: 'test' })
    expect(changed.headers.get('location')).toBe('/admin/w/main/repos/diary')
    expect(await see('/diary')).toContain('tea.txt')
    const [repo] = await app.ctx.store.repos.list(app.workspace.id)
    expect(repo).toMatchObject({ name: 'diary', environments: ['test'], revision: 2 })
    const none = await send('/diary', { name: 'diary' })
    expect([none.status, await none.text()]).toEqual([422, expect.stringContaining('live, test or both')])
  })
})

describe('a folder', () => {
  it('is read where it lies', async () => {
    const roots = root()
    const { send, see } = await admin({ CLAVIGER_DOCS_ROOTS: roots })
    await send('', { name: 'handbook', source: 'folder', path: join(roots, 'handbook'), environments: 'live' })
    await send('/handbook/refresh', {})
    expect(await see('?q=leave')).toContain('thirty days')
    expect(await see('/handbook')).not.toContain('type="file"')
  })

  it('lies inside the roots, and the form comes back as it was', async () => {
    const roots = root()
    const { send } = await admin({ CLAVIGER_DOCS_ROOTS: roots })
    const answer = await send('', { name: 'etc', source: 'folder', path: '/etc', environments: 'live' })
    const html = await answer.text()
    expect(answer.status).toBe(422)
    expect(html).toContain('is no folder inside those that CLAVIGER_DOCS_ROOTS names')
    expect(html).not.toContain(roots)
    expect(html).toContain('value="/etc"')
  })
})

describe('while files are being read', () => {
  const eta = new Eta({ views: viewsFolder(), autoTrim: false })
  const repo = { name: 'big', source: 'folder', path: '/srv/big', environments: ['live'] }
  const state = {
    documents: 40,
    sections: 90,
    updatedAt: null,
    indexing: null,
    skipped: [],
    skippedCount: 0,
    failure: null,
  }
  const common = { base: '/admin/w/main', now: new Date(), mayChange: true, files: [], first: true, next: null }

  it.each([
    ['/repos/state', (one: object) => ({ ...common, repo, state: one })],
    ['/repos/list', (one: object) => ({ ...common, repos: [{ ...repo, state: one }] })],
  ])('%s says how far it is and asks again, and then stops', (view, dataFor) => {
    const reading = eta.render(view, dataFor({ ...state, indexing: { done: 40, total: 1000 } }))
    expect(reading).toMatch(/40\s+of 1,000/)
    expect(reading).toContain('hx-trigger="every 2s"')
    expect(eta.render(view, dataFor({ ...state, indexing: { done: 40, total: null } }))).not.toContain('null')
    expect(eta.render(view, dataFor(state))).not.toContain('hx-trigger')
  })

  it('says which files were passed over, and why the whole cannot be read', () => {
    const skipped = [{ path: '<b>.md', why: 'It is larger than 10 MB.' }]
    const html = eta.render('/repos/state', {
      ...common,
      repo,
      state: { ...state, skipped, skippedCount: 1200, failure: 'The folder is gone.' },
    })
    expect(html).toContain('&lt;b&gt;.md')
    expect(html).toContain('And 1,199 more.')
    expect(html).toContain('The folder is gone.')
  })
})

it('takes no file of a stranger, nor reads it', async () => {
  const { app, send } = await admin()
  await send('', { name: 'notes', source: 'files', environments: 'live' })
  const { cookie } = await app.person('member')
  expect((await upload(app, cookie, 'notes', { 'a.md': '# A' })).status).toBe(403)
  expect((await upload(app, '', 'notes', { 'a.md': '# A' })).status).toBe(401)
})

it('offers the documentation server again where it was removed', async () => {
  const { app, cookie, see } = await admin()
  expect(await see('')).toContain('No client can search these.')
  const form = { slug: 'docs', name: 'Documentation', transport: 'builtin' }
  expect((await app.call('POST', '/admin/w/main/mcps', { cookie, form })).status).toBe(303)
  expect(await see('')).not.toContain('No client can search these.')
  expect(await (await app.call('GET', '/admin/w/main/mcps/docs', { cookie })).text()).toContain('/admin/w/main/repos')
})
