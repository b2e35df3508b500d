import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withoutKey } from '../../src/http/seen.ts'
import { jsonOf } from '../support/json.ts'
import { start } from '../support/start.ts'

describe('an address without its key', () => {
  it.each([
    ['/mcp?api_key=K', '/mcp?api_key=[secret]'],
    ['/mcp?API_KEY=K&x=1', '/mcp?api_key=[secret]&x=1'],
    ['/mcp?x=1&Api-Key=K', '/mcp?x=1&api_key=[secret]'],
    ['/mcp?apikey=K#end', '/mcp?api_key=[secret]#end'],
    ['/mcp?%61pi_key=K', '/mcp?api_key=[secret]'],
    ['/mcp?api%5Fkey=K', '/mcp?api_key=[secret]'],
    ['/mcp?%2561pi_key=K', '/mcp?api_key=[secret]'],
    ['/mcp?api_key=K&api_key=K', '/mcp?api_key=[secret]&api_key=[secret]'],
    ['/mcp?a=1;api_key=K;b=2', '/mcp?a=1;api_key=[secret];b=2'],
    ['/mcp;api_key=K', '/mcp;api_key=[secret]'],
    ['/mcp#api_key=K', '/mcp#api_key=[secret]'],
    ['/mcp?a=1?api_key=K', '/mcp?a=1?api_key=[secret]'],
    ['/mcp?my_api_key=K', '/mcp?api_key=[secret]'],
    ['/mcp?api_key=K=K/K%20', '/mcp?api_key=[secret]'],
    ['http://x/mcp?api_key=K', 'http://x/mcp?api_key=[secret]'],
    ['/mcp?a=1&b=api_key', '/mcp?a=1&b=api_key'],
    ['/admin?next=%2Fadmin', '/admin?next=%2Fadmin'],
    ['/', '/'],
  ])('%s', (url, seen) => {
    expect(withoutKey(url)).toBe(seen)
  })

  it('never holds it, whatever stands around', () => {
    const name = fc
      .array(
        fc.constantFrom('api_key', 'API_KEY', 'apikey', 'x').chain((text) => fc.constantFrom(text, escaped(text))),
        { maxLength: 3 },
      )
      .map((parts) => `${parts.join('')}api_key`)
    const other = fc.stringMatching(/^[?&;#=a-z%/]{0,12}$/)
    fc.assert(
      fc.property(other, fc.constantFrom('?', '&', ';', '#'), name, other, (before, sign, name, after) => {
        expect(withoutKey(`/mcp${before}${sign}${name}=KEYKEYKEY${after}`)).not.toContain('KEYKEY')
      }),
    )
  })
})

describe('the address of a client', () => {
  async function seenFrom(forwarded: string | null, trusted: string, allowed: string[]) {
    const { key, call } = await start({ env: { CLAVIGER_TRUSTED_PROXIES: trusted } })
    const { fullKey } = await key({ ipAllow: allowed })
    const headers: Record<string, string> = forwarded === null ? {} : { 'x-forwarded-for': forwarded }
    return (await call('GET', '/api/v1/whoami', { key: fullKey, headers })).status
  }

  it.each([
    ['is the socket’s when nobody is trusted', '203.0.113.7', '', ['203.0.113.7'], 403],
    ['is the socket’s, whatever was forwarded', '203.0.113.7', '', ['127.0.0.1'], 200],
    ['is what a trusted proxy says', '203.0.113.7', '127.0.0.1', ['203.0.113.7'], 200],
    ['is not what the client made up left of it', '198.51.100.9, 203.0.113.7', '127.0.0.1', ['198.51.100.9'], 403],
    ['is right of the client’s inventions', '198.51.100.9, 203.0.113.7', '127.0.0.1', ['203.0.113.7'], 200],
    [
      'lies before a chain of trusted proxies',
      '1.1.1.1, 203.0.113.7, 10.0.0.4, 10.0.0.5',
      '127.0.0.0/8,10.0.0.0/8',
      ['203.0.113.7'],
      200,
    ],
    ['is IPv4 when it came mapped', '::ffff:203.0.113.7', '127.0.0.1', ['203.0.113.7'], 200],
    ['is IPv4 when it came mapped in hexadecimal', '::FFFF:cb00:7107', '127.0.0.1', ['203.0.113.7'], 200],
    ['is read without its zone', 'fe80::1%eth0', '127.0.0.1', ['fe80::/10'], 200],
    ['is found in a mapped range', '203.0.113.7', '::ffff:127.0.0.1', ['203.0.113.0/24'], 200],
    ['is the proxy’s own when it forwards nothing', null, '127.0.0.1', ['127.0.0.1'], 200],
    ['is nobody’s when it is no address', 'unknown', '127.0.0.1', ['127.0.0.1'], 403],
    ['is read without its port', '203.0.113.7:5123', '127.0.0.1', ['203.0.113.7'], 200],
    ['is read without its port, in brackets', '[2001:db8::1]:5123', '127.0.0.1', ['2001:db8::/32'], 200],
  ] as const)('%s', async (_what, forwarded, trusted, allowed, status) => {
    expect(await seenFrom(forwarded, trusted, [...allowed])).toBe(status)
  })
})

it('takes a key from a name that was escaped, and counts it', async () => {
  const { key, call } = await start()
  const { fullKey } = await key({ allowInUrl: true })
  const body = { jsonrpc: '2.0', id: 1, method: 'ping' }
  expect((await call('POST', `/mcp?%61pi_key=${fullKey}`, { body })).status).not.toBe(401)
  const two = await call('POST', `/mcp?%61pi_key=${fullKey}`, { body, key: fullKey })
  expect(two.status).toBe(400)
  expect(await jsonOf(two)).toMatchObject({ error: { data: { code: 'multiple_credentials' } } })
})

function escaped(text: string): string {
  return [...text].map((sign) => `%${sign.charCodeAt(0).toString(16)}`).join('')
}
