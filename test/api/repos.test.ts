import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { addMcp } from '../../src/core/mcps/edit.ts'
import { addRepo } from '../../src/core/repos/edit.ts'
import { jsonOf } from '../support/json.ts'
import { operator, start } from '../support/start.ts'
import { zipOf } from '../support/zip.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const KEEPS = { scopes: ['repo:read', 'repo:write'] }

async function shelves(wanted: Parameters<Awaited<ReturnType<typeof start>>['key']>[0] = KEEPS) {
  const app = await start()
  const { fullKey } = await app.key(wanted)
  const as = (key: string) => {
    const ask =
      (method: string) =>
      async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
        const answer = await app.call(method, `/api/v1/repos${path}`, { key, body, headers })
        return { status: answer.status, headers: answer.headers, body: await jsonOf(answer) }
      }
    return { get: ask('GET'), post: ask('POST'), put: ask('PUT'), patch: ask('PATCH'), del: ask('DELETE') }
  }
  return { app, as, ...as(fullKey) }
}

describe('files', () => {
  it('are found at once, under a path with folders, however its slashes are written', async () => {
    const { get, post, put } = await shelves()
    expect((await post('', { name: 'notes', environments: ['live'] })).status).toBe(201)
    const first = await put('/notes/files/guides/tea.md', '# Tea\n\nAt four.\n')
    expect(first).toMatchObject({ status: 200, body: { path: 'guides/tea.md', title: 'Tea' } })
    expect((await put('/notes/files/guides%2Flunch%20at%20noon.md', '# Lunch')).body.path).toBe(
      'guides/lunch at noon.md',
    )
    expect((await get('/notes/files?prefix=guides/')).body).toMatchObject({
      data: [{ path: 'guides/lunch at noon.md' }, { path: 'guides/tea.md' }],
      next_cursor: null,
    })
    expect((await get('/notes/files/guides/tea.md')).body).toMatchObject({
      repo: 'notes',
      content: expect.stringContaining('At four.'),
      next_offset: null,
    })
    expect((await get('/notes')).body).toMatchObject({ documents: 2, indexing: null, failure: null })
  })

  it('are listed in pages, however long their paths are', async () => {
    const { get, post, put } = await shelves()
    await post('', { name: 'notes' })
    const long = `${'ab'.repeat(95)}/`.repeat(5)
    for (const name of ['a.md', 'b.md', 'c.md'])
      expect((await put(`/notes/files/${long}${name}`, '# A')).status).toBe(200)
    const listed: string[] = []
    for (let cursor = ''; cursor !== null; ) {
      const { body } = await get(`/notes/files?limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      listed.push(...body.data.map(({ path }: { path: string }) => path))
      cursor = body.next_cursor
    }
    expect(listed).toEqual(['a.md', 'b.md', 'c.md'].map((name) => long + name))
  })

  it('replace one another, and are gone once removed', async () => {
    const { app, get, post, put, del } = await shelves()
    await post('', { name: 'notes' })
    await put('/notes/files/tea.md', '# Tea\n\nAt four.\n')
    await put('/notes/files/tea.md', '# Tea\n\nAt five.\n')
    expect((await get('/notes/files/tea.md')).body.content).toContain('At five.')
    expect((await del('/notes/files/tea.md')).status).toBe(204)
    expect((await get('/notes/files/tea.md')).body.code).toBe('not_found')
    expect((await del('/notes/files/tea.md')).body.code).toBe('not_found')
    const { items } = await app.ctx.store.audit.list({ chain: app.workspace.id }, { limit: 4, cursor: null })
    expect(items.map(({ action, after }) => [action, after?.bytes ?? null])).toEqual([
      ['repo.file_removed', null],
      ['repo.file_put', 16],
      ['repo.file_put', 16],
      ['repo.added', null],
    ])
  })

  it('come from a zip, which says what it leaves out', async () => {
    const { get, post } = await shelves()
    await post('', { name: 'notes' })
    const zip = zipOf({ 'a.md': '# A', 'b/c.txt': 'C', 'logo.png': 'x' })
    expect((await post('/notes/files', zip)).body).toMatchObject({
      added: 2,
      skipped: [{ path: 'logo.png' }],
      skipped_count: 1,
    })
    const { data } = (await get('/notes/files')).body
    expect(data.map(({ path }: { path: string }) => path)).toEqual(['a.md', 'b/c.txt'])
  })

  it.each([
    ['..%2Fescape.md', 422],
    ['%2Fetc%2Fpasswd.md', 422],
    ['.hidden.md', 422],
    ['a%00.md', 422],
    ['program.exe', 415],
    [`${'x'.repeat(300)}.md`, 422],
  ])('of the name %s are refused', async (path, status) => {
    const { get, post, put } = await shelves()
    await post('', { name: 'notes' })
    expect((await put(`/notes/files/${path}`, '# A')).status).toBe(status)
    expect((await get('/notes/files')).body.data).toEqual([])
  })

  it.each([
    ['no zip', 'this is no zip'],
    ['a way out of it', zipOf({ 'a.md': '# A', '../out.md': '# Out' })],
  ])('in a zip that is or holds %s are refused, all of them', async (_what, zip) => {
    const { get, post } = await shelves()
    await post('', { name: 'notes' })
    expect(await post('/notes/files', zip)).toMatchObject({ status: 400, body: { code: 'bad_request' } })
    expect((await get('/notes/files')).body.data).toEqual([])
  })

  it('go only to a repo of files', async () => {
    const { app, put } = await shelves()
    await addRepo(app.ctx, operator, app.workspace.id, { name: 'manual', source: 'manual' })
    expect((await put('/manual/files/a.md', '# A')).body.code).toBe('conflict')
  })
})

describe('a folder', () => {
  it('lies inside the roots, whatever else is on the disk', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'claviger-roots-')))
    folders.push(root)
    mkdirSync(join(root, 'handbook'))
    writeFileSync(join(root, 'handbook', 'tea.md'), '# Tea')
    const app = await start({ env: { CLAVIGER_DOCS_ROOTS: root } })
    const { fullKey } = await app.key(KEEPS)
    const add = async (path: string) => jsonOf(app.post('/api/v1/repos', { name: 'handbook', path }, fullKey))
    for (const path of ['/etc', '/no-such-folder', `${root}/..`, `${root}/handbook/tea.md`, 'handbook'])
      expect([path, await add(path)]).toMatchObject([path, { code: 'validation_failed', errors: [{ field: 'path' }] }])
    expect(JSON.stringify(await add('/etc'))).not.toContain(root)
    expect(await add(`${root}/handbook`)).toMatchObject({ source: 'folder', path: `${root}/handbook` })
    expect(await jsonOf(app.post('/api/v1/repos/handbook/refresh', {}, fullKey))).toMatchObject({ documents: 1 })
  })
})

describe('environments', () => {
  it('keep a test key from folders, in which live documents may lie', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'claviger-roots-')))
    folders.push(root)
    const app = await start({ env: { CLAVIGER_DOCS_ROOTS: root } })
    const { fullKey } = await app.key({ ...KEEPS, environment: 'test' })
    const send = (method: string, path: string, body: object) =>
      jsonOf(app.call(method, `/api/v1/repos${path}`, { key: fullKey, body }))
    expect(await send('POST', '', { name: 'handbook', path: root })).toMatchObject({ code: 'forbidden' })
    await addRepo(app.ctx, operator, app.workspace.id, { name: 'sandbox', path: root, environments: ['test'] })
    expect(await send('PATCH', '/sandbox', { path: root })).toMatchObject({ code: 'forbidden' })
    expect(await send('PATCH', '/sandbox', { name: 'playground' })).toMatchObject({ name: 'playground' })
  })

  it('part what keys see', async () => {
    const { app, as, get, post } = await shelves()
    const test = as((await app.key({ ...KEEPS, environment: 'test' })).fullKey)
    await post('', { name: 'live-only' })
    await post('', { name: 'both', environments: ['test', 'live'] })
    await test.post('', { name: 'test-only' })
    const names = async ({ body }: { body: { data: { name: string }[] } }) => body.data.map(({ name }) => name)
    expect((await test.post('', { name: 'live-only' })).body).toMatchObject({
      code: 'conflict',
      detail: 'This name cannot be used. Choose another.',
    })
    expect(await names(await get(''))).toEqual(['both', 'live-only'])
    expect(await names(await test.get(''))).toEqual(['both', 'test-only'])
    expect((await test.get('/live-only')).body.code).toBe('not_found')
    expect((await get('/test-only')).body.code).toBe('not_found')
  })

  it('keep a test key from what live keys find', async () => {
    const { app, as, post } = await shelves()
    const test = as((await app.key({ ...KEEPS, environment: 'test' })).fullKey)
    await post('', { name: 'both', environments: ['test', 'live'] })
    await test.post('', { name: 'mine' })
    const tries = [
      test.post('', { name: 'x', environments: ['live'] }),
      test.put('/both/files/a.md', '# A'),
      test.patch('/both', { environments: ['test'] }),
      test.patch('/mine', { environments: ['live', 'test'] }),
      test.del('/both'),
    ]
    for (const { status, body } of await Promise.all(tries)) expect([status, body.code]).toEqual([403, 'forbidden'])
    expect((await test.put('/mine/files/a.md', '# A')).status).toBe(200)
    expect((await post('', { name: 'y', environments: ['test'] })).body.code).toBe('forbidden')
  })
})

describe('an unrestricted key', () => {
  it.each([
    ['every MCP', { mode: 'all' } as const, 200],
    ['the whole of docs', { mode: 'selected', mcps: [{ slug: 'docs', tools: null }] } as const, 200],
    ['a tool of docs', { mode: 'selected', mcps: [{ slug: 'docs', tools: ['search'] }] } as const, 403],
    ['another MCP', { mode: 'selected', mcps: [{ slug: 'wiki', tools: null }] } as const, 403],
  ])('that reaches %s', async (_what, access, status) => {
    const mcpAccess = structuredClone(access) as never
    const { app, as, get } = await shelves({ type: 'unrestricted', mcpAccess })
    const target = { kind: 'builtin', name: 'docs' } as const
    await addMcp(app.ctx, operator, app.workspace.id, { slug: 'docs', live: target })
    expect((await get('')).status).toBe(status)
    const named = as((await app.key({ ...KEEPS, mcpAccess })).fullKey)
    expect((await named.get('')).status).toBe(200)
  })
})

it('is made once, changed as it was read, and removed with its files', async () => {
  const { get, post, patch, put, del } = await shelves()
  const made = await post('', { name: 'notes' }, { 'idempotency-key': 'one' })
  const again = await post('', { name: 'notes' }, { 'idempotency-key': 'one' })
  expect([again.status, again.body.id]).toEqual([201, made.body.id])
  expect((await post('', { name: 'notes' })).body.code).toBe('conflict')
  await put('/notes/files/tea.md', '# Tea')
  const tag = (await get('/notes')).headers.get('etag')!
  expect((await patch('/notes', { name: 'diary' }, { 'if-match': tag })).body.name).toBe('diary')
  expect((await patch('/diary', { name: 'notes' }, { 'if-match': tag })).body.code).toBe('precondition_failed')
  expect((await get('/diary/files/tea.md')).body.repo).toBe('diary')
  expect((await patch('/diary', { path: '/srv' })).body.errors).toMatchObject([{ field: 'path' }])
  expect((await del('/diary')).status).toBe(204)
  await post('', { name: 'diary' })
  expect((await get('/diary')).body).toMatchObject({ documents: 0 })
})

it('goes with its workspace', async () => {
  const { app, post } = await shelves()
  await post('', { name: 'notes' })
  await app.ctx.store.workspaces.remove(app.workspace.id, [])
  expect(await app.ctx.store.repos.all()).toEqual([])
})
