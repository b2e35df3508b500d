import { describe, expect, it } from 'vitest'
import { newFullKey } from '../../src/core/keys/format.ts'
import { request, sendRaw } from '../support/raw.ts'
import { start } from '../support/start.ts'

const KEY = newFullKey('clv', 'live').reveal()
const OTHER = newFullKey('clv', 'live').reveal()

describe('a repeated header', () => {
  it.each([
    ['Host', ['Host: localhost', 'Host: localhost'], 'bad_request'],
    ['Host, the second foreign', ['Host: localhost', 'Host: evil.example'], 'bad_request'],
    [
      'Authorization',
      ['Host: localhost', `Authorization: Bearer ${KEY}`, `Authorization: Bearer ${OTHER}`],
      'multiple_credentials',
    ],
    [
      'Authorization, the same twice',
      ['Host: localhost', `Authorization: Bearer ${KEY}`, `authorization: Bearer ${KEY}`],
      'multiple_credentials',
    ],
    ['X-API-Key', ['Host: localhost', `X-API-Key: ${KEY}`, `X-API-Key: ${OTHER}`], 'multiple_credentials'],
    ['Content-Type', ['Host: localhost', 'Content-Type: text/plain', 'Content-Type: application/json'], 'bad_request'],
  ])('%s is refused, on every door', async (_what, headers, code) => {
    const { origin } = await start()
    for (const path of ['/api/v1/whoami', '/mcp', '/mcp/docs', '/admin', '/nowhere']) {
      const answer = await sendRaw(origin, request(`GET ${path} HTTP/1.1`, ...headers))
      expect([path, answer.status]).toEqual([path, 400])
      if (!answer.body) continue // Bun’s own parser has answered
      const said = JSON.parse(answer.body)
      expect([path, said.code ?? said.error.data.code]).toEqual([path, code])
      expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    }
  })
})

describe('more than one key', () => {
  it.each([
    ['in one header', { authorization: `Bearer ${KEY}, Bearer ${OTHER}` }, ''],
    ['in two headers', { authorization: `Bearer ${KEY}`, 'x-api-key': OTHER }, ''],
    ['the same in two headers', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }, ''],
    ['in a header and the URL', { authorization: `ApiKey ${KEY}` }, `?api_key=${KEY}`],
    ['in another header and the URL', { 'x-api-key': KEY }, `?api_key=${OTHER}`],
    ['twice in the URL', {}, `?api_key=${KEY}&api_key=${KEY}`],
  ])('%s is refused', async (_what, headers, query) => {
    const { call } = await start()
    for (const path of ['/api/v1/whoami', '/mcp']) {
      const answer = await call('GET', path + query, { headers })
      const said = JSON.parse(await answer.text())
      expect([path, answer.status, said.code ?? said.error.data.code]).toEqual([path, 400, 'multiple_credentials'])
    }
  })
})

describe('a key', () => {
  it.each([
    ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
    ['authorization: bearer', (key: string) => ({ authorization: `bearer ${key}` })],
    ['Authorization: ApiKey', (key: string) => ({ authorization: `ApiKey ${key}` })],
    ['X-API-Key', (key: string) => ({ 'x-api-key': key })],
    ['with white space around', (key: string) => ({ authorization: `  Bearer    ${key}\t ` })],
    ['behind very much white space', (key: string) => ({ authorization: `Bearer ${' '.repeat(1000)}${key}` })],
    ['in quotes, as it was pasted', (key: string) => ({ 'x-api-key': `"${key}"` })],
    ['behind the word once more', (key: string) => ({ authorization: `Bearer Bearer ${key}` })],
  ])('is taken as %s', async (_what, headersOf) => {
    const { key, call } = await start()
    const { fullKey } = await key()
    expect((await call('GET', '/api/v1/whoami', { headers: headersOf(fullKey) })).status).toBe(200)
  })

  it.each([
    ['missing_key', {}],
    ['missing_key', { authorization: 'Bearer' }],
    ['missing_key', { authorization: 'Bearer  ' }],
    ['missing_key', { authorization: `Basic ${btoa(`x:${KEY}`)}` }],
    ['malformed_key', { authorization: 'Bearer x' }],
    ['malformed_key', { authorization: `Bearer ${KEY.slice(0, -1)}` }],
    ['unknown_key', { authorization: `Bearer ${KEY}` }],
  ])('is answered %s for %j', async (code, headers) => {
    const { call } = await start()
    const rest = await call('GET', '/api/v1/whoami', { headers })
    expect([rest.status, JSON.parse(await rest.text()).code]).toEqual([401, code])
    expect(rest.headers.get('www-authenticate')).toMatch(/^Bearer realm="claviger"/)
    expect(rest.headers.get('www-authenticate')).not.toContain('resource_metadata')
    const mcp = await call('POST', '/mcp', { headers, body: { jsonrpc: '2.0', id: 1, method: 'ping' } })
    expect([mcp.status, JSON.parse(await mcp.text())]).toEqual([
      401,
      expect.objectContaining({
        error: expect.objectContaining({ code: -32040, data: expect.objectContaining({ code }) }),
      }),
    ])
  })

  it('in the URL opens MCP endpoints alone, and only if the key allows it', async () => {
    const { key, call } = await start()
    const [open, closed] = [await key({ allowInUrl: true }), await key()]
    const code = async (path: string) => {
      const answer = await call('POST', path, { body: { jsonrpc: '2.0', id: 1, method: 'ping' } })
      const said = JSON.parse(await answer.text())
      return [
        answer.status,
        said.code ?? said.error?.data?.code ?? 'ok',
        answer.headers.get('cache-control'),
        answer.headers.get('referrer-policy'),
      ]
    }
    expect((await code(`/mcp?api_key=${open.fullKey}`)).slice(2)).toEqual(['no-store, private', 'no-referrer'])
    expect((await code(`/mcp?api_key=${open.fullKey}`))[0]).not.toBe(401)
    expect(await code(`/mcp?api_key=${closed.fullKey}`)).toEqual([
      403,
      'url_key_not_allowed',
      'no-store, private',
      'no-referrer',
    ])
    expect(await code(`/mcp?api_key=${KEY}`)).toEqual([401, 'unknown_key', 'no-store, private', 'no-referrer'])
    const rest = await call('GET', `/api/v1/whoami?api_key=${open.fullKey}`)
    expect([rest.status, JSON.parse(await rest.text()).code]).toEqual([401, 'missing_key'])
  })
})

describe('a host name', () => {
  const answerFor = async (origin: string, host: string, path = '/api/v1/whoami', first = path) =>
    sendRaw(origin, request(`GET ${first} HTTP/1.1`, ...(host ? [`Host: ${host}`] : [])))

  it.each([
    'localhost',
    'localhost:9999',
    '127.0.0.1',
    '127.9.9.9:80',
    '[::1]:8484',
    'claviger.localhost',
    'LOCALHOST',
  ])('of this machine is answered: %s', async (host) => {
    const { origin } = await start()
    expect((await answerFor(origin, host)).status).toBe(401)
  })

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.1.7',
    '0.0.0.0',
    '[::]',
    'localhost@evil.example',
    'localhost/x',
    'evil.example#localhost',
    'a b',
  ])('of another is refused: %s', async (host) => {
    const { origin } = await start()
    for (const path of ['/api/v1/whoami', '/mcp', '/admin', '/static/admin.css', '/']) {
      const answer = await answerFor(origin, host, path)
      expect([path, [400, 403].includes(answer.status)]).toEqual([path, true])
      if (answer.status === 403) expect(answer.body).toContain('forbidden')
      expect(answer.body).not.toContain(host)
    }
  })

  it('is the public URL’s, once there is one', async () => {
    const { origin } = await start({ env: { CLAVIGER_PUBLIC_URL: 'https://keys.example.com' } })
    expect((await answerFor(origin, 'keys.example.com')).status).toBe(401)
    expect((await answerFor(origin, 'KEYS.example.com:443')).status).toBe(401)
    expect((await answerFor(origin, 'localhost')).status).toBe(401) // still bound to loopback
    expect((await answerFor(origin, 'other.example.com')).status).toBe(403)
  })

  it('does not matter to the probes', async () => {
    const { origin } = await start()
    for (const path of ['/healthz', '/readyz'])
      for (const host of ['10.2.3.4:8484', 'evil.example', 'localhost']) {
        const answer = await answerFor(origin, host, path)
        expect([path, host, answer.status, answer.body]).toEqual([path, host, 200, '{"status":"ok"}'])
      }
  })

  it('counts whatever an absolute target says', async () => {
    const { origin } = await start()
    expect((await answerFor(origin, 'localhost', '', 'http://localhost/api/v1/whoami')).status).toBe(401)
    expect((await answerFor(origin, 'localhost', '', 'http://localhost/mcp')).body).toContain('-32040')
    expect((await answerFor(origin, 'evil.example', '', 'http://localhost/api/v1/whoami')).status).toBe(403)
  })

  it('is needed', async () => {
    const { origin } = await start()
    expect([400, 403]).toContain((await sendRaw(origin, 'GET /mcp HTTP/1.0\r\n\r\n')).status)
    expect([400, 403]).toContain((await answerFor(origin, '')).status)
  })
})

describe('an Origin', () => {
  it.each([
    'https://evil.example',
    'http://localhost.evil.example',
    'http://evil.example:80',
    'null',
    'file://',
    'chrome-extension://abc',
    'nonsense',
  ])('of another site is refused: %s', async (foreign) => {
    const { call, key } = await start()
    const { fullKey } = await key()
    for (const path of ['/mcp', '/api/v1/keys', '/admin/sign-in']) {
      const answer = await call('POST', path, { key: fullKey, body: {}, headers: { origin: foreign } })
      expect([path, answer.status]).toEqual([path, 403])
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('of our own is not', async () => {
    const { call, key, origin } = await start()
    const { fullKey } = await key()
    for (const own of [origin, 'http://localhost:6274'])
      expect((await call('GET', '/api/v1/whoami', { key: fullKey, headers: { origin: own } })).status).toBe(200)
  })

  it('is asked by a preflight in vain', async () => {
    const { call } = await start()
    for (const path of ['/mcp', '/api/v1/keys']) {
      const answer = await call('OPTIONS', path, {
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      })
      expect([path, answer.status]).toEqual([path, 403])
    }
  })
})

describe('OAuth', () => {
  it.each([
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/openid-configuration',
    '/register',
  ])('is not here: %s', async (path) => {
    const { call } = await start()
    for (const method of ['GET', 'POST']) {
      const answer = await call(method, path, { headers: { accept: '*/*' }, ...(method === 'POST' && { body: {} }) })
      expect([method, answer.status, answer.headers.get('content-type')]).toEqual([
        method,
        404,
        'application/problem+json',
      ])
      expect(JSON.parse(await answer.text())).toMatchObject({ code: 'not_found', status: 404 })
    }
  })
})

describe('every answer', () => {
  const PATHS: [string, string][] = [
    ...(
      ['/', '/healthz', '/readyz', '/admin', '/admin/sign-in', '/admin/nowhere', '/api/v1/whoami', '/api/docs'] as const
    ).map((path): [string, string] => ['GET', path]),
    ...(
      [
        '/api/v1/nowhere',
        '/mcp',
        '/mcp/docs',
        '/nowhere',
        '/static/admin.css',
        '/static/nowhere.css',
        '/%',
        '//x',
        '/.well-known/x',
      ] as const
    ).map((path): [string, string] => ['GET', path]),
    ['POST', '/mcp'],
    ['POST', '/admin/sign-in'],
    ['DELETE', '/'],
    ['TRACE', '/'],
    ['HEAD', '/admin/sign-in'],
    ['OPTIONS', '*'],
    ['BREW', '/'],
  ]

  it.each(PATHS)('%s %s has an id of its own', async (method, path) => {
    const { origin } = await start()
    const ids = new Set<string | null>()
    for (let twice = 0; twice < 2; twice++) {
      const answer = await sendRaw(
        origin,
        request(`${method} ${path} HTTP/1.1`, 'Host: localhost', 'X-Request-Id: mine'),
      )
      if ([0, 400].includes(answer.status) && !answer.body) return // by Bun’s parser, before anybody could see it
      expect(answer.status).toBeLessThan(500)
      ids.add(answer.headers.get('x-request-id'))
    }
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-z]{27}$/)
    expect(ids.size).toBe(2)
  })
})
