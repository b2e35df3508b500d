import { describe, expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { offering, overStdio } from '../support/mcp.ts'
import { start } from '../support/start.ts'

const SCOPES = ['mcp:*', 'mcps:read', 'mcps:write']
const wiki = {
  slug: 'wiki',
  live: { url: 'https://wiki.example/mcp', headers: { Authorization: 'Bearer very-secret' } },
}

describe('POST mcps', () => {
  it('never gives a header back', async () => {
    const { post, get, key, logs } = await start()
    const { fullKey } = await key({ scopes: SCOPES })
    const made = await post('/api/v1/mcps', wiki, fullKey)
    expect(made.status).toBe(201)
    expect(await made.text()).not.toContain('very-secret')
    const shown = await jsonOf(get('/api/v1/mcps/wiki', fullKey))
    expect(shown).toMatchObject({ slug: 'wiki', transport: 'http', live: { headers: ['Authorization'] }, test: null })
    expect(logs.join('')).not.toContain('very-secret')
  })

  it('takes no command', async () => {
    const { post, key, workspace, ctx } = await start()
    const { fullKey } = await key({ scopes: SCOPES })
    for (const body of [
      { slug: 'sh', transport: 'stdio', live: { command: 'sh' } },
      { slug: 'sh', live: { kind: 'stdio', command: 'sh', args: [], env: {}, cwd: null } },
      { slug: 'sh', live: { url: 'file:///etc/passwd' } },
    ])
      expect((await post('/api/v1/mcps', body, fullKey)).status).toBe(422)
    expect(await ctx.store.mcps.list(workspace.id)).toEqual([])
  })

  it('opens no variable of the server to a key', async () => {
    const { post, key } = await start()
    const { fullKey } = await key({ scopes: SCOPES })
    const live = { url: 'https://mine.example/mcp', headers: { 'X-Take': '${CLAVIGER_SECRET}' } }
    expect(await jsonOf(post('/api/v1/mcps', { slug: 'mine', live }, fullKey))).toMatchObject({
      status: 422,
      errors: [{ field: 'headers' }],
    })
  })

  it('keeps a test key away from what live keys reach', async () => {
    const { post, get, key, app } = await start()
    const { fullKey: test } = await key({ scopes: SCOPES, environment: 'test' })
    const { fullKey: live } = await key({ scopes: SCOPES })
    expect(await jsonOf(post('/api/v1/mcps', wiki, test))).toMatchObject({ status: 403, code: 'forbidden' })
    expect((await post('/api/v1/mcps', wiki, live)).status).toBe(201)
    expect(await jsonOf(get('/api/v1/mcps/wiki', test))).toMatchObject({ live: null, test: null })
    const removed = await fetch(`${app.origin}/api/v1/mcps/wiki`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${test}` },
    })
    expect(removed.status).toBe(403)
  })

  it('lets a test key take nothing from live keys', async () => {
    const app = await start()
    const { fullKey: live } = await app.key({ scopes: SCOPES })
    const { fullKey: test } = await app.key({ scopes: SCOPES, environment: 'test' })
    await app.post('/api/v1/mcps', wiki, live)
    for (const body of [{ live: null }, { isolation: 'shared' }, { timeout_seconds: 1 }, { name: 'mine' }])
      expect((await app.call('PATCH', '/api/v1/mcps/wiki', { key: test, body })).status).toBe(403)
    expect(await jsonOf(app.get('/api/v1/mcps/wiki', live))).toMatchObject({ live: { url: wiki.live.url } })
  })

  it('adds no MCP beyond the reach of the key', async () => {
    const app = await start()
    const mcpAccess = { mode: 'selected' as const, mcps: [{ slug: 'docs', tools: null }] }
    const { fullKey } = await app.key({ scopes: SCOPES, mcpAccess })
    expect((await app.post('/api/v1/mcps', wiki, fullKey)).status).toBe(403)
    expect((await app.post('/api/v1/mcps', { ...wiki, slug: 'docs' }, fullKey)).status).toBe(201)
  })

  it('tells no secret of an address or a command', async () => {
    const app = await start()
    const { fullKey } = await app.key({ scopes: [...SCOPES, 'audit:read'] })
    await app.post(
      '/api/v1/mcps',
      { slug: 'tavily', live: { url: 'https://mcp.example/mcp/?apiKey=tvly-hidden' } },
      fullKey,
    )
    await offering(app, 'sh', {
      live: { ...overStdio(), args: ['--api-key', 'hidden-one', '--token=hidden-two', 'plain'] },
    })
    const told =
      (await (await app.get('/api/v1/mcps', fullKey)).text()) + (await (await app.get('/api/v1/audit', fullKey)).text())
    expect(told).toContain('apiKey=…')
    expect(told).toContain('plain')
    expect(told).not.toContain('hidden')
  })

  it('cannot change or remove a command that the owner added', async () => {
    const app = await start()
    await offering(app, 'files', { live: overStdio() })
    const { fullKey } = await app.key({ scopes: SCOPES })
    expect((await app.call('PATCH', '/api/v1/mcps/files', { key: fullKey, body: { name: 'mine' } })).status).toBe(403)
    expect((await app.call('DELETE', '/api/v1/mcps/files', { key: fullKey })).status).toBe(403)
  })
})

describe('a key limited to one MCP', () => {
  it('sees that one alone', async () => {
    const { post, get, key } = await start()
    const { fullKey: all } = await key({ scopes: SCOPES })
    await post('/api/v1/mcps', wiki, all)
    await post('/api/v1/mcps', { ...wiki, slug: 'other' }, all)
    const mcpAccess = { mode: 'selected' as const, mcps: [{ slug: 'other', tools: null }] }
    const { fullKey } = await key({ scopes: SCOPES, mcpAccess })
    const { data } = await jsonOf(get('/api/v1/mcps', fullKey))
    expect(data.map(({ slug }: { slug: string }) => slug)).toEqual(['other'])
    expect((await get('/api/v1/mcps/wiki', fullKey)).status).toBe(404)
  })
})

describe('the list', () => {
  it('is paged by slug', async () => {
    const app = await start()
    for (const slug of ['c', 'a', 'b']) await offering(app, slug, { live: overStdio() })
    const { fullKey } = await app.key({ scopes: SCOPES })
    const first = await jsonOf(app.get('/api/v1/mcps?limit=2', fullKey))
    const second = await jsonOf(app.get(`/api/v1/mcps?limit=2&cursor=${first.next_cursor}`, fullKey))
    expect([...first.data, ...second.data].map(({ slug }) => slug)).toEqual(['a', 'b', 'c'])
    expect(second.next_cursor).toBeNull()
  })
})

it('lists and calls the tools that the key may call', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key({ scopes: ['mcp:fix:echo', 'mcps:read'] })
  await app.post('/api/v1/mcps/fix/refresh', {}, fullKey)
  const { data, heard_at } = await jsonOf(app.get('/api/v1/mcps/fix/tools', fullKey))
  expect(data.map(({ name }: { name: string }) => name)).toEqual(['echo'])
  expect(heard_at).toBe(app.ctx.now().toISOString())
  const called = await jsonOf(app.post('/api/v1/mcps/fix/tools/echo/call', { arguments: { text: 'hi' } }, fullKey))
  expect(called).toMatchObject({ result: { content: [{ text: 'hi' }] } })
  const refused = await jsonOf(app.post('/api/v1/mcps/fix/tools/sleep/call', {}, fullKey))
  expect(refused).toMatchObject({ status: 403, code: 'insufficient_scope' })
})
