import { describe, expect, it } from 'vitest'
import { disable, edit, revoke } from '../../src/core/keys/lifecycle.ts'
import { modern, offering, olderClient, overStdio, said } from '../support/mcp.ts'
import { operator, start } from '../support/start.ts'

async function twoServers() {
  const app = await start()
  await offering(app, 'one', { live: overStdio(), test: null })
  await offering(app, 'two', { live: null, test: overStdio() })
  return app
}

type App = Awaited<ReturnType<typeof twoServers>>
const call = async (app: App, path: string, key: string, method: string, params = {}) =>
  said(await app.call('POST', path, { key, ...modern(method, params) }))
const echo = (name = 'echo') => ({ name, arguments: { text: 'hi' } })

describe('a tool call', () => {
  it('is refused by scope first, then MCP, then tool', async () => {
    const app = await twoServers()
    const selected = (slug: string, tools: string[] | null) => ({ mode: 'selected' as const, mcps: [{ slug, tools }] })
    const cases = [
      [{ scopes: ['keys:read'] }, '/mcp/one', 'insufficient_scope'],
      [{ scopes: ['mcp:one:sleep'] }, '/mcp/one', 'insufficient_scope'],
      [{ scopes: ['mcp:*'], mcpAccess: selected('two', null) }, '/mcp/one', 'mcp_not_permitted'],
      [{ scopes: ['mcp:*'], mcpAccess: selected('one', ['sleep']) }, '/mcp/one', 'tool_not_permitted'],
      [{ scopes: ['mcp:*'] }, '/mcp/two', 'wrong_environment'],
    ] as const
    for (const [wanted, path, code] of cases) {
      const { fullKey } = await app.key(wanted as object)
      const single = await app.call('POST', path, { key: fullKey, ...modern('tools/call', echo()) })
      expect(single.status).toBe(200)
      expect((await said(single)).error, JSON.stringify(wanted)).toMatchObject({ code: -32043, data: { code } })
    }
  })

  it('is refused alike under its prefixed name', async () => {
    const app = await twoServers()
    const { fullKey } = await app.key({ scopes: ['mcp:one:sleep'] })
    expect((await call(app, '/mcp', fullKey, 'tools/call', echo('one__echo'))).error?.data).toMatchObject({
      code: 'insufficient_scope',
    })
    const { fullKey: all } = await app.key()
    expect((await call(app, '/mcp', all, 'tools/call', echo('one__echo'))).result).toBeDefined()
    expect((await call(app, '/mcp', all, 'tools/call', echo('two__echo'))).error?.data).toMatchObject({
      code: 'wrong_environment',
    })
  })

  it('answers alike for what is hidden and what does not exist', async () => {
    const app = await twoServers()
    const { fullKey } = await app.key({ mcpAccess: { mode: 'selected', mcps: [{ slug: 'one', tools: ['sleep'] }] } })
    const answers = await Promise.all([
      call(app, '/mcp', fullKey, 'tools/call', echo('two__echo')),
      call(app, '/mcp', fullKey, 'tools/call', echo('nowhere__echo')),
      call(app, '/mcp/two', fullKey, 'tools/call', echo()),
      call(app, '/mcp/nowhere', fullKey, 'tools/call', echo()),
    ])
    const bare = answers.map(({ error }) => ({ ...error, data: { code: error?.data?.code } }))
    expect(new Set(bare.map((error) => JSON.stringify(error))).size).toBe(1)
    const [hidden, missing] = await Promise.all([
      call(app, '/mcp/one', fullKey, 'tools/call', echo()),
      call(app, '/mcp/one', fullKey, 'tools/call', echo('no_such_tool')),
    ])
    expect(hidden.error).toMatchObject({ message: missing.error!.message, code: missing.error!.code })
  })

  it('never reaches another workspace', async () => {
    const app = await twoServers()
    const workspaces = await import('../../src/core/workspaces/workspaces.ts')
    const other = await workspaces.createWorkspace(app.ctx, operator.actor, null, 'Other')
    const { fullKey } = await app.key({}, other.id)
    expect((await call(app, '/mcp/one', fullKey, 'tools/call', echo())).error?.data).toMatchObject({
      code: 'mcp_not_permitted',
    })
    expect(JSON.stringify((await call(app, '/mcp', fullKey, 'tools/list')).result)).not.toContain('one__')
  })
})

describe('a call whose body comes late', () => {
  /** Its head and half of its body, then what happens meanwhile, then the rest. */
  async function sentInHalves(app: App, key: string, meanwhile: () => Promise<unknown>) {
    const { body, headers } = modern('tools/call', echo())
    const text = JSON.stringify(body)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const answer = fetch(`${app.origin}/mcp/one`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: readable,
    })
    await writer.write(Buffer.from(text.slice(0, 20)))
    await new Promise((resolve) => setTimeout(resolve, 200)) // until the head was judged
    await meanwhile()
    await writer.write(Buffer.from(text.slice(20)))
    await writer.close()
    return said(await answer)
  }

  it('is judged by what its key is then', async () => {
    const app = await twoServers()
    const elsewhere = { mode: 'selected' as const, mcps: [{ slug: 'two', tools: null }] }
    const id = app.workspace.id
    const [revoked, narrowed, same] = await Promise.all([app.key(), app.key(), app.key()])
    const outcomes = [
      await sentInHalves(app, revoked.fullKey, () => revoke(app.ctx, operator, id, revoked.key.id, 'gone')),
      await sentInHalves(app, narrowed.fullKey, () =>
        edit(app.ctx, operator, id, narrowed.key.id, { mcpAccess: elsewhere }),
      ),
      await sentInHalves(app, same.fullKey, () => app.key()),
    ]
    expect(outcomes.map(({ error }) => error?.data?.code)).toEqual(['revoked_key', 'mcp_not_permitted', undefined])
    expect(outcomes[2]!.result).toMatchObject({ content: [{ text: 'hi' }] })
  })
})

describe('the lists', () => {
  it('show only what the key may use', async () => {
    const app = await twoServers()
    const { fullKey } = await app.key({ scopes: ['mcp:one:echo', 'mcp:sleep'] })
    const names = (message: Awaited<ReturnType<typeof said>>) =>
      (message.result!.tools as { name: string }[]).map(({ name }) => name).sort()
    expect(names(await call(app, '/mcp/one', fullKey, 'tools/list'))).toEqual(['echo', 'sleep'])
    expect(names(await call(app, '/mcp', fullKey, 'tools/list'))).toEqual(['one__echo', 'one__sleep'])
    expect((await call(app, '/mcp/one', fullKey, 'resources/list')).result).toMatchObject({
      resources: [],
      cacheScope: 'private',
    })
    expect(
      (await call(app, '/mcp/one', fullKey, 'resources/read', { uri: 'test://static-text' })).error?.data,
    ).toMatchObject({ code: 'insufficient_scope' })
  })

  it('need the whole MCP for prompts and resources', async () => {
    const app = await twoServers()
    const grant = (tools: string[] | null) => ({
      mcpAccess: { mode: 'selected' as const, mcps: [{ slug: 'one', tools }] },
    })
    const { fullKey: part } = await app.key(grant(['echo']))
    const { fullKey: whole } = await app.key(grant(null))
    expect((await call(app, '/mcp', part, 'prompts/list')).result).toMatchObject({ prompts: [] })
    expect(
      (await call(app, '/mcp', part, 'prompts/get', { name: 'one__test_simple_prompt' })).error?.data,
    ).toMatchObject({ code: 'tool_not_permitted' })
    expect((await call(app, '/mcp', whole, 'prompts/get', { name: 'one__test_simple_prompt' })).result).toBeDefined()
    expect((await call(app, '/mcp', whole, 'resources/read', { uri: 'test://static-text' })).result).toBeDefined()
  })
})

describe('a session', () => {
  it('is no credential and belongs to one key', async () => {
    const app = await twoServers()
    const { fullKey } = await app.key()
    const { fullKey: other } = await app.key({ name: 'other' })
    const client = await olderClient(app, '/mcp/one', fullKey)
    expect((await client.ask('tools/list')).status).toBe(200)
    const stolen = await client.send({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, other)
    expect(stolen.status).toBe(404)
    expect(await said(stolen)).toMatchObject({ error: { code: -32001 } })
    expect((await client.end(other)).status).toBe(404)
    expect((await client.end()).status).toBe(204)
    expect((await client.ask('tools/list')).status).toBe(404)
  })

  it('is asked for when it is missing', async () => {
    const app = await twoServers()
    const { fullKey } = await app.key()
    const answer = await app.call('POST', '/mcp/one', {
      key: fullKey,
      body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    })
    expect(answer.status).toBe(400)
  })
})

describe.each([
  ['revoked', (app: App, id: string) => revoke(app.ctx, operator, app.workspace.id, id, null), 'revoked_key'],
  ['disabled', (app: App, id: string) => disable(app.ctx, operator, app.workspace.id, id), 'disabled_key'],
] as const)('a key that is %s', (_how, end, code) => {
  it('has its streams and calls ended at once, and its next request refused', async () => {
    const app = await twoServers()
    const { key, fullKey } = await app.key()
    const client = await olderClient(app, '/mcp/one', fullKey)
    const streams = await Promise.all([
      client.listen(),
      app.call('POST', '/mcp/one', {
        key: fullKey,
        ...modern('subscriptions/listen', { notifications: { toolsListChanged: true } }),
      }),
    ])
    const inFlight = client.ask('tools/call', { name: 'sleep', arguments: { ms: 60_000 } }, 7)
    await end(app, key.id)
    await Promise.all(streams.map((stream) => stream.text()))
    await (await inFlight).text()
    const next = await client.ask('tools/list')
    expect(next.status).toBe(401)
    expect(next.headers.get('www-authenticate')).toContain('invalid_token')
    expect(await said(next)).toMatchObject({ error: { code: -32040, data: { code } } })
  })
})

it('ends a hundred streams when their key is revoked', async () => {
  const app = await twoServers()
  const { key, fullKey } = await app.key()
  const listen = () =>
    app.call('POST', '/mcp', {
      key: fullKey,
      ...modern('subscriptions/listen', { notifications: { toolsListChanged: true } }),
    })
  const streams = await Promise.all(Array.from({ length: 100 }, listen))
  await revoke(app.ctx, operator, app.workspace.id, key.id, null)
  const ended = await Promise.all(streams.map((stream) => stream.text()))
  expect(ended).toHaveLength(100)
})

it('ends the streams of a key that was narrowed', async () => {
  const app = await twoServers()
  const { key, fullKey } = await app.key()
  const client = await olderClient(app, '/mcp/one', fullKey)
  const stream = await client.listen()
  await edit(app.ctx, operator, app.workspace.id, key.id, { scopes: ['mcp:one:echo'] })
  await stream.text()
  expect((await client.ask('tools/list')).status).toBe(404)
})
