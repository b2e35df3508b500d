import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { modern, offering, olderClient, overStdio, said } from '../support/mcp.ts'
import { start } from '../support/start.ts'
import { answered, serve } from '../upstreams/serving.ts'

async function serving() {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key()
  return { app, fullKey }
}

describe('a notification that asks for an answer', () => {
  const params = { requestId: 1, reason: 'somebody else’s' }

  it.each(['/mcp/fix', '/mcp'])('is refused at %s in both eras', async (path) => {
    const { app, fullKey } = await serving()
    const older = await olderClient(app, path, fullKey)
    for (const answer of [
      await older.ask('notifications/cancelled', params),
      await app.call('POST', path, { key: fullKey, ...modern('notifications/cancelled', params) }),
    ])
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { id: 1, error: { code: -32600, message: 'A notification has no `id`.' } },
      ])
    expect((await older.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params })).status).toBe(202)
  })
})

describe('a message', () => {
  const nested = (levels: number) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hi","deep":${'['.repeat(levels)}"]]]]"${']'.repeat(levels)}}}}`

  it.each(['/mcp/fix', '/mcp'])('that is nested without end is refused at %s before it is read', async (path) => {
    const { app, fullKey } = await serving()
    const answer = await app.call('POST', path, { key: fullKey, body: nested(40_000) })
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: -32600, message: 'The body is nested more than 512 levels deep.' } },
    ])
    expect(app.logs.join('')).not.toContain('Unexpected error')
  })

  it('may be nested as deep as anybody needs', async () => {
    const { app, fullKey } = await serving()
    const older = await olderClient(app, '/mcp/fix', fullKey)
    const answer = await older.send(JSON.parse(nested(500)))
    expect(await answer.text()).toContain('hi')
  })

  it.each([
    ['that is compressed', gzipSync('{}'), { 'content-encoding': 'gzip' }, 415, /without Content-Encoding/],
    ['with bytes that are no text', Buffer.from([0x7b, 0x22, 0xc3, 0x22, 0x7d]), {}, 400, /not valid UTF-8/],
    ['in another encoding', Buffer.from('{}'), { 'content-type': 'application/json; charset=latin1' }, 415, /in UTF-8/],
  ])('%s is told what is wrong', async (_what, body, headers, status, says) => {
    const { app, fullKey } = await serving()
    const answer = await app.call('POST', '/mcp/fix', {
      key: fullKey,
      body,
      headers: headers as Record<string, string>,
    })
    expect([answer.status, await answer.json()]).toMatchObject([
      status,
      { error: { message: expect.stringMatching(says) } },
    ])
  })
})

it('says of an answer that it is nested too deep where it has to be read', async () => {
  const deep = `{"content":${'['.repeat(40_000)}${']'.repeat(40_000)}}`
  const server = serve(({ method, message: { id, method: asked } }) => {
    if (method !== 'POST') return new Response(null, { status: 405 })
    if (id === undefined) return new Response(null, { status: 202 })
    if (asked === 'initialize')
      return answered(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} })
    if (asked === 'server/discover') return Response.json({ jsonrpc: '2.0', id, error: { code: -32601, message: '' } })
    const headers = { 'Content-Type': 'application/json' }
    return new Response(`{"jsonrpc":"2.0","id":${id},"result":${deep}}`, { headers })
  })
  const app = await start()
  await offering(app, 'fix', { live: { kind: 'http', url: server.url, headers: {} } })
  const { fullKey } = await app.key()
  const simple = await app.post('/mcp', { mcp_id: 'fix', tool: 'echo' }, fullKey)
  expect([simple.status, await simple.json()]).toMatchObject([502, { detail: expect.stringMatching(/too deep/) }])
  const older = await olderClient(app, '/mcp/fix', fullKey)
  expect((await said(await older.ask('tools/list'))).error).toMatchObject({ data: { code: 'upstream_unavailable' } })
  expect(await (await older.ask('tools/call', { name: 'echo' })).text()).toContain(deep) // nobody need read it
  expect(app.logs.join('')).not.toContain('Unexpected error')
})
