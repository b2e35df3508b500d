import { describe, expect, it } from 'vitest'
import { offering, olderClient, overHttp, said } from '../support/mcp.ts'
import { type Started, start } from '../support/start.ts'

async function greeted(app: Started, key: string, path: string, protocolVersion: string) {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'older', version: '1' } }
  const body = { jsonrpc: '2.0', id: 0, method: 'initialize', params }
  return (await said(await app.call('POST', path, { key, body }))).result!.protocolVersion
}

describe.each(['/mcp', '/mcp/fix'])('a handshake at %s', (path) => {
  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2024-11-05'], // its servers must answer batches
    ['2024-11-05', '2024-11-05'],
    ['2099-01-01', '2025-11-25'],
  ])('for %s agrees on %s', async (asked, agreed) => {
    const app = await start()
    await offering(app, 'fix', { live: await overHttp({ era: 'legacy' }) })
    expect(await greeted(app, (await app.key()).fullKey, path, asked)).toBe(agreed)
  })
})

describe('the version header of a session', () => {
  it.each(['POST', 'GET', 'DELETE'])('is refused on %s when it names none that there is', async (method) => {
    const app = await start()
    const { fullKey } = await app.key()
    const { session } = await olderClient(app, '/mcp', fullKey)
    const body = method === 'POST' ? { jsonrpc: '2.0', id: 1, method: 'tools/list' } : undefined
    const headers = { 'mcp-session-id': session, 'mcp-protocol-version': '1999-12-31' }
    const answer = await app.call(method, '/mcp', { key: fullKey, body, headers })
    expect(answer.status).toBe(400)
    expect((await said(answer)).error).toMatchObject({ code: -32600, data: { code: 'bad_request' } })
  })

  it('may be left out, and may name an older version than was agreed', async () => {
    const app = await start()
    const { fullKey } = await app.key()
    const { session } = await olderClient(app, '/mcp', fullKey)
    for (const version of [undefined, '2025-03-26', '2025-06-18']) {
      const headers = { 'mcp-session-id': session, ...(version && { 'mcp-protocol-version': version }) }
      const body = { jsonrpc: '2.0', id: 1, method: 'ping' }
      expect((await app.call('POST', '/mcp', { key: fullKey, body, headers })).status).toBe(200)
    }
  })
})

it.each([
  '/mcp/.well-known/oauth-protected-resource',
  '/mcp/x/.well-known/oauth-authorization-server',
  '/mcp/x/.well-known/openid-configuration',
])('answers %s with a 404 in JSON, key or no key', async (path) => {
  const app = await start()
  const { fullKey } = await app.key()
  for (const key of [undefined, fullKey]) {
    const answer = await app.call('GET', path, { key })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('no OAuth') })
  }
})
