import { describe, expect, it } from 'vitest'
import { modern, offering, olderClient, overHttp, overStdio, said } from '../support/mcp.ts'
import { start } from '../support/start.ts'

const echo = { name: 'echo', arguments: { text: 'hi' } }

type Over = 'stdio' | 'HTTP'

async function serving(over: Over = 'stdio', era: 'legacy' | 'modern' | 'dual' = 'dual') {
  const app = await start()
  await offering(app, 'fix', { live: over === 'HTTP' ? await overHttp({ era }) : overStdio('--era', era) })
  const { fullKey, key } = await app.key({ allowInUrl: true })
  return { app, fullKey, key }
}

describe.each([
  ['legacy', 'modern', 'stdio'],
  ['modern', 'legacy', 'stdio'],
  ['legacy', 'modern', 'HTTP'],
  ['modern', 'legacy', 'HTTP'],
] as const)('a %s client of a server that is %s alone, over %s', (clientEra, serverEra, over) => {
  it.each(['/mcp/fix', '/mcp'])('lists and calls tools, prompts and resources at %s', async (path) => {
    const { app, fullKey } = await serving(over, serverEra)
    const older = clientEra === 'legacy' ? await olderClient(app, path, fullKey) : null
    const ask = async (method: string, params = {}) =>
      said(
        older
          ? await older.ask(method, params)
          : await app.call('POST', path, { key: fullKey, ...modern(method, params) }),
      )
    const prefix = path === '/mcp' ? 'fix__' : ''
    expect((await ask('tools/list')).result!.tools).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: `${prefix}echo` })]),
    )
    const called = await ask('tools/call', { ...echo, name: `${prefix}echo` })
    expect(called).toMatchObject({ id: 1, result: { content: [{ text: expect.stringContaining('hi') }] } })
    expect((await ask('prompts/get', { name: `${prefix}test_simple_prompt` })).result!.messages).toHaveLength(1)
    expect((await ask('resources/read', { uri: 'test://static-text' })).result!.contents).toHaveLength(1)
    if (clientEra === 'modern') expect(called.result).toMatchObject({ resultType: 'complete' })
  })
})

it.each(['stdio', 'HTTP'] as const)(
  'routes answers by exchange when every request has the same id, over %s',
  async (over) => {
    const { app, fullKey } = await serving(over)
    const client = await olderClient(app, '/mcp/fix', fullKey)
    const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`)
    const answers = await Promise.all(
      texts.map(async (text) => said(await client.ask('tools/call', { name: 'echo', arguments: { text } }, 1))),
    )
    expect(answers.map(({ result }) => (result!.content as { text: string }[])[0]!.text)).toEqual(texts)
  },
)

it.each([0, 'a "quoted" id', 9_007_199_254_740_991, ''])('gives the answer the id %j of its request', async (id) => {
  const { app, fullKey } = await serving()
  expect((await said(await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/call', echo, id) }))).id).toBe(
    id,
  )
})

describe('a caller who hangs up', () => {
  it.each(['stdio', 'HTTP'] as const)('cancels the call upstream over %s', async (over) => {
    const { app, fullKey } = await serving(over)
    const controller = new AbortController()
    const params = { name: 'sleep', arguments: { ms: 60_000, label: 'gone' }, _meta: { progressToken: 'p' } }
    const answer = await app.call('POST', '/mcp/fix', {
      key: fullKey,
      ...modern('tools/call', params),
      signal: controller.signal,
    })
    const reader = answer.body!.getReader()
    let heard = ''
    while (!heard.includes('notifications/progress')) heard += new TextDecoder().decode((await reader.read()).value)
    controller.abort()
    const seen = await said(
      await app.call('POST', '/mcp/fix', {
        key: fullKey,
        ...modern('tools/call', { name: 'cancellations', arguments: { atLeast: 1 } }),
      }),
    )
    expect(JSON.stringify(seen.result)).toContain('gone')
  })
})

it.each(['stdio', 'HTTP'] as const)('cancels what an older client says it cancels, over %s', async (over) => {
  const { app, fullKey } = await serving(over)
  const client = await olderClient(app, '/mcp/fix', fullKey)
  const sleeping = client.ask(
    'tools/call',
    { name: 'sleep', arguments: { ms: 60_000, label: 'mine' }, _meta: { progressToken: 1 } },
    'sleeper',
  )
  await sleeping
  await client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'sleeper' } })
  const seen = await said(await client.ask('tools/call', { name: 'cancellations', arguments: { atLeast: 1 } }, 2))
  expect(JSON.stringify(seen.result)).toContain('mine')
})

it.each(['stdio', 'HTTP'] as const)('gives progress under the token of the caller, over %s', async (over) => {
  const { app, fullKey } = await serving(over)
  const params = { name: 'test_tool_with_progress', arguments: {}, _meta: { progressToken: 'my token' } }
  const text = await (await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/call', params) })).text()
  expect(text.match(/"progressToken":"my token"/g)).toHaveLength(3)
})

describe('the simple call', () => {
  it('calls one tool and answers its result', async () => {
    const { app, fullKey } = await serving()
    const answer = await app.post('/mcp', { mcp_id: 'fix', tool: 'echo', arguments: { text: 'hi' } }, fullKey)
    expect(await answer.json()).toMatchObject({ result: { content: [{ type: 'text', text: 'hi' }] } })
  })

  it('answers refusals as problems', async () => {
    const { app, fullKey } = await serving()
    const codeOf = async (body: object) => {
      const answer = await app.post('/mcp', body, fullKey)
      return [answer.status, ((await answer.json()) as { code: string }).code]
    }
    expect(await codeOf({ mcp_id: 'nowhere', tool: 'echo' })).toEqual([403, 'mcp_not_permitted'])
    expect(await codeOf({ mcp_id: 'fix' })).toEqual([422, 'validation_failed'])
    expect(await codeOf({ mcp_id: 'fix', tool: 'echo', args: {} })).toEqual([422, 'validation_failed'])
  })
})

it('writes a line for each call, and when the key was last used', async () => {
  const { app, fullKey, key } = await serving()
  const answer = await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/call', echo) })
  await answer.text()
  await expect
    .poll(
      async () =>
        (await app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 10, cursor: null })).items,
    )
    .toMatchObject([
      {
        requestId: answer.headers.get('x-request-id'),
        keyId: key.id,
        mcp: 'fix',
        method: 'tools/call',
        tool: 'echo',
        outcome: 'ok',
        status: 200,
        client: 'raw 1',
      },
    ])
  const used = await app.ctx.store.keys.byId(app.workspace.id, key.id)
  expect(used).toMatchObject({ lastUsedAt: app.ctx.now(), requestCount: 1, lastUsedClient: 'raw 1' })
})

it('keeps answers to a key in the URL out of caches', async () => {
  const { app, fullKey } = await serving()
  const answer = await app.call('POST', `/mcp/fix?api_key=${fullKey}`, modern('tools/list'))
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-store, private')
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  expect(app.logs.join('')).not.toContain(fullKey.slice(20, 40))
})

it('refuses what is too large, of another type, or no message', async () => {
  const { app, fullKey } = await serving()
  const send = (body: string, type = 'application/json') =>
    app.call('POST', '/mcp/fix', { key: fullKey, body, headers: { 'content-type': type } })
  expect((await send('{}', 'text/plain')).status).toBe(415)
  expect((await send('{')).status).toBe(400)
  expect((await send('[]')).status).toBe(400)
  expect((await send('7')).status).toBe(400)
  expect((await send(' '.repeat(17 * 1024 * 1024))).status).toBe(413)
})
