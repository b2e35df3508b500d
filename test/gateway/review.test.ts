import { describe, expect, it } from 'vitest'
import { startFixture } from '../fixtures/upstream/http.ts'
import { modern, offering, olderClient, overHttp, overStdio, said } from '../support/mcp.ts'
import { start } from '../support/start.ts'

const echo = { name: 'echo', arguments: { text: 'hi' } }

it('writes activity on, whatever a message calls its method or its tool', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key()
  const client = await olderClient(app, '/mcp/fix', fullKey)
  for (const method of [{}, true, 7]) expect((await client.send({ jsonrpc: '2.0', id: 3, method })).status).toBe(400)
  await client.ask('tools/call', { name: 'x'.repeat(100_000), arguments: {} })
  await client.ask('tools/call', echo)
  const lines = async () =>
    (await app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 10, cursor: null })).items
  await expect.poll(async () => (await lines()).map(({ tool }) => tool?.length ?? 0)).toEqual([4, 256, 0])
})

it('takes what is no text for no name, and for no mistake of its own', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key()
  const hostile = { toString: 5 }
  const asked: [string, object][] = [
    ['tools/call', { name: hostile }],
    ['prompts/get', { name: hostile }],
    ['resources/read', { uri: hostile }],
    ['resources/subscribe', { uri: hostile }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: hostile } }],
    ['completion/complete', { ref: { type: 'ref/resource', uri: hostile } }],
    ['tasks/get', { taskId: hostile }],
  ]
  for (const path of ['/mcp', '/mcp/fix']) {
    const client = await olderClient(app, path, fullKey)
    for (const [method, params] of asked)
      expect((await said(await client.ask(method, params))).error?.data?.code).not.toBe('internal_error')
    const { body, headers } = modern('tools/call', { name: hostile } as never)
    expect((await app.call('POST', path, { key: fullKey, headers, body })).status).toBe(400)
  }
  const greeting = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: hostile } }
  expect((await app.post('/mcp', greeting, fullKey)).status).toBe(200)
  expect(app.logs.filter((line) => line.includes('"level":"error"'))).toEqual([])
})

it('finds a server modern again that was down when it was first asked', async () => {
  const app = await start()
  const first = await startFixture({ era: 'modern' })
  await first.close()
  await offering(app, 'fix', { live: { kind: 'http', url: first.url, headers: {} } })
  const { fullKey } = await app.key()
  const call = async () => said(await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/call', echo) }))
  expect((await call()).error?.data).toMatchObject({ code: 'upstream_unavailable' })
  const second = await startFixture({ era: 'modern', port: Number(new URL(first.url).port) })
  app.advance(60_000)
  expect((await call()).result).toBeDefined()
  await second.close()
})

it('matches a long address with a template in no time worth naming', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key()
  const client = await olderClient(app, '/mcp', fullKey)
  const uri = `test://template/${'/'.repeat(200_000)}`
  const answer = await said(await client.ask('resources/read', { uri }, 'long'))
  expect(answer.id).toBe('long')
})

describe('the simple call', () => {
  it.each(['modern', 'legacy', 'dual'] as const)('works for a %s server over HTTP', async (era) => {
    const app = await start()
    await offering(app, 'fix', { live: await overHttp({ era }) })
    const { fullKey } = await app.key()
    const answer = await app.post('/mcp', { mcp_id: 'fix', tool: 'echo', arguments: { text: 'hi' } }, fullKey)
    expect(await answer.json()).toMatchObject({ result: { content: [{ text: 'hi' }] } })
  })
})

it('tells a key that may only call tools nothing of resources', async () => {
  const app = await start()
  await offering(app, 'fix', { live: await overHttp({ era: 'modern' }) })
  const { fullKey } = await app.key({ scopes: ['mcp:fix:echo'] })
  const notifications = {
    toolsListChanged: true,
    promptsListChanged: true,
    resourceSubscriptions: ['test://watched-resource'],
  }
  const stream = await app.call('POST', '/mcp/fix', {
    key: fullKey,
    ...modern('subscriptions/listen', { notifications }),
  })
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  let heard = ''
  while (!heard.includes('acknowledged')) heard += (await reader.read()).value
  expect(heard).toContain('toolsListChanged')
  expect(heard).not.toContain('watched-resource')
  expect(heard).not.toContain('promptsListChanged')
  await reader.cancel()
})

it('gives each key of a per-key server a process of its own, on REST too', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio(), isolation: 'per-key' })
  const markOf = async () => {
    const { fullKey } = await app.key()
    const answer = await app.post('/api/v1/mcps/fix/tools/env/call', {}, fullKey)
    const { result } = (await answer.json()) as { result: { structuredContent: { env: Record<string, string> } } }
    return result.structuredContent.env.MCP_CHILD
  }
  expect(await markOf()).not.toBe(await markOf())
})

it('judges the scope before it says anything of the MCP', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key({ scopes: ['keys:read'] })
  for (const [path, name] of [
    ['/mcp/fix', 'echo'],
    ['/mcp', 'fix__echo'],
    ['/mcp/nowhere', 'echo'],
  ] as const) {
    const answer = await said(
      await app.call('POST', path, { key: fullKey, ...modern('tools/call', { ...echo, name }) }),
    )
    expect([path, answer.error?.data?.code]).toEqual([path, 'insufficient_scope'])
  }
})

it('does not put a server into backoff for what one client says of itself', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio('--era', 'legacy') })
  const { fullKey } = await app.key()
  const params = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: {} }
  const refused = await app.call('POST', '/mcp/fix', {
    key: fullKey,
    body: { jsonrpc: '2.0', id: 1, method: 'initialize', params },
  })
  expect((await said(refused)).error).toBeDefined()
  expect(
    (await said(await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/call', echo) }))).result,
  ).toBeDefined()
})
