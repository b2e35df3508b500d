import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { drainOf } from '../../src/http/drain.ts'
import { listen, serverFor } from '../../src/http/listen.ts'
import { jsonOf } from '../support/json.ts'
import { start } from '../support/start.ts'

/** A connection that stays open: what was answered on it so far. */
async function line(origin: string) {
  const { hostname, port } = new URL(origin)
  const socket: Socket = connect(Number(port), hostname)
  const heard = { text: '', closed: false }
  socket.setEncoding('utf8')
  socket.on('data', (piece: string) => {
    heard.text += piece
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    heard.closed = true
  })
  await new Promise((resolve) => socket.once('connect', resolve))
  return { heard, say: (text: string) => socket.write(text), end: () => socket.destroy() }
}

describe('a static file', () => {
  const folder = join(import.meta.dirname, '../../static')

  it.each(readdirSync(folder))('%s is kept for ever under its hash, and asked for anew without', async (name) => {
    const { call } = await start()
    const body = readFileSync(join(folder, name))
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
    const answer = await call('GET', `/static/${name}?v=${hash}`)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true)
    for (const query of ['', '?v=', '?v=0123456789ab', `?v=${hash}&v=${hash}`])
      expect((await call('GET', `/static/${name}${query}`)).headers.get('cache-control')).toBe('no-cache')
    expect(await (await call('HEAD', `/static/${name}`)).text()).toBe('')
    expect((await call('POST', `/static/${name}`, { body: {} })).status).toBe(404)
  })

  it('is what a page asks for, by its hash', async () => {
    const { call } = await start()
    const page = await (await call('GET', '/admin/sign-in', { headers: { accept: 'text/html' } })).text()
    const asked = [...page.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map((match) => match[1]!)
    expect(asked.length).toBeGreaterThan(1)
    for (const path of asked) expect((await call('GET', path)).headers.get('cache-control')).toContain('immutable')
  })

  it.each([
    '/static/',
    '/static/../package.json',
    '/static/%2e%2e/package.json',
    '/static/%2e%2e%2fpackage.json',
    '/static//admin.css',
    '/static/nothing.css',
    '/static/__proto__',
  ])('is nothing else: %s', async (path) => {
    const { call } = await start()
    expect((await call('GET', path)).status).toBe(404)
  })
})

describe('the security headers', () => {
  it('are on every page', async () => {
    const { call } = await start()
    for (const path of ['/admin/sign-in', '/admin/nowhere', '/api/docs', '/nowhere', '/static/admin.css']) {
      const { headers } = await call('GET', path, { headers: { accept: 'text/html' } })
      const policy = headers.get('content-security-policy')!
      expect([
        path,
        policy
          .split(';')
          .map((one) => one.trim())
          .sort(),
      ]).toEqual([
        path,
        [
          "base-uri 'none'",
          "connect-src 'self'",
          "default-src 'none'",
          "font-src 'self'",
          "form-action 'self'",
          "frame-ancestors 'none'",
          "img-src 'self' data:",
          "script-src 'self'",
          "style-src 'self'",
        ],
      ])
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toMatch(/^(same-origin|no-referrer)$/)
      expect(headers.get('x-powered-by')).toBeNull()
      expect(headers.get('server')).toBeNull()
      expect(headers.get('strict-transport-security')).toBeNull()
    }
  })

  it('insist on https only where it was used', async () => {
    const { call } = await start({
      env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1', CLAVIGER_PUBLIC_URL: 'https://keys.example.com' },
    })
    const strict = async (proto: string) =>
      (
        await call('GET', '/admin/sign-in', { headers: { 'x-forwarded-proto': proto, host: 'keys.example.com' } })
      ).headers.get('strict-transport-security')
    expect(await strict('https')).toBe('max-age=31536000')
    expect(await strict('http')).toBeNull()
    expect(await strict('https, http')).toBeNull() // only the nearest hop is ours
  })
})

describe('a slow request', () => {
  async function hasty() {
    const limits = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 }
    const server = serverFor({ certificate: null, key: null }, limits)
    server.on('request', (req: IncomingMessage, res: ServerResponse) => {
      req.resume()
      req.on('end', () => res.end('ok'))
    })
    const origin = await listen(server, '127.0.0.1', 0)
    return { server, origin, close: () => new Promise((resolve) => server.close(resolve)) }
  }

  it.each([
    ['that says nothing', ''],
    ['whose headers never end', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    ['whose body never comes', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123'],
  ])('%s is cut', async (_what, text) => {
    const { origin, close } = await hasty()
    const { heard, say, end } = await line(origin)
    if (text) say(text)
    await expect.poll(() => heard.closed, { timeout: 8000 }).toBe(true)
    expect(heard.text).toMatch(/^(HTTP\/1\.1 408 |$)/)
    end()
    await close()
  })

  it('has its limits from the first', () => {
    const server = serverFor({ certificate: null, key: null })
    expect([server.headersTimeout, server.requestTimeout, server.keepAliveTimeout]).toEqual([15_000, 120_000, 65_000])
  })
})

describe('closing', () => {
  const BODY = JSON.stringify({ name: 'in flight' })

  /** A request that has begun: the server waits for the rest of its body. */
  async function begun(origin: string, key: string) {
    const open = await line(origin)
    const { host } = new URL(origin)
    const head = [
      'POST /api/v1/keys HTTP/1.1',
      `Host: ${host}`,
      `Authorization: Bearer ${key}`,
      'Content-Type: application/json',
    ]
    open.say([...head, `Content-Length: ${BODY.length}`, 'Expect: 100-continue', '', ''].join('\r\n'))
    await expect.poll(() => open.heard.text).toContain('100 Continue')
    return {
      ...open,
      ask: (path: string) => open.say(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
      finish: () => open.say(BODY),
    }
  }

  it('finishes what is in flight, while nobody new gets in', async () => {
    const { app, origin, key, ctx } = await start()
    const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
    const open = await begun(origin, fullKey)
    const closing = app.close()
    await expect.poll(() => fetch(`${origin}/healthz`).catch(() => null)).toBeNull()
    open.finish()
    await expect.poll(() => open.heard.text).toContain('HTTP/1.1 201')
    expect(open.heard.text).toContain('"name":"in flight"')
    await closing
    await expect.poll(() => open.heard.closed).toBe(true)
    await expect(ctx.store.setup.done()).rejects.toThrow()
  })

  it.each([
    ['/readyz', '"why":"shutting down"'],
    ['/api/v1/whoami', '"code":"shutting_down"'],
    ['/mcp', '"code":-32053'],
  ])('tells a connection that stays open that it is over: %s', async (path, says) => {
    const { app, origin, key } = await start()
    const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
    const [first, second] = [await begun(origin, fullKey), await begun(origin, fullKey)]
    const closing = app.close()
    second.finish()
    await expect.poll(() => second.heard.text).toContain('HTTP/1.1 201')
    second.ask(path)
    await expect.poll(() => second.heard.text).toContain('HTTP/1.1 503')
    await expect.poll(() => second.heard.text).toContain(says)
    first.finish()
    await closing
    await expect.poll(() => first.heard.text).toContain('HTTP/1.1 201')
  })

  it('ends streams at once, and cuts what will not end', async () => {
    const server = serverFor({ certificate: null, key: null })
    const drain = drainOf(server)
    const streams: ServerResponse[] = []
    server.on('request', (req: IncomingMessage, res: ServerResponse) => {
      drain.begin(res)
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write(': open\n\n')
      if (req.url === '/stream') streams.push(res)
    })
    const origin = await listen(server, '127.0.0.1', 0)
    const [stream, stuck] = await Promise.all([fetch(`${origin}/stream`), fetch(`${origin}/stuck`)])
    const ends = Promise.all([stream.text().catch(() => 'cut'), stuck.text().catch(() => 'cut')])
    expect(drain.draining()).toBe(false)
    await drain.close(200, () => {
      expect(drain.draining()).toBe(true)
      for (const res of streams) res.end('data: bye\n\n')
    })
    const [streamed, cut] = await ends
    expect(streamed).toBe(': open\n\ndata: bye\n\n')
    expect(['cut', ': open\n\n']).toContain(cut)
  })

  it('takes no time when nothing is open', async () => {
    const { app, get } = await start()
    await get('/healthz')
    const startedAt = performance.now()
    await app.close()
    expect(performance.now() - startedAt).toBeLessThan(1500)
    await expect(get('/healthz')).rejects.toThrow()
  })
})

describe('readiness', () => {
  it('is lost with the database, life is not', async () => {
    const { ctx, get } = await start()
    await ctx.store.close()
    const answer = await get('/readyz')
    expect([answer.status, await jsonOf(answer)]).toEqual([
      503,
      { status: 'unavailable', why: 'the database cannot be written' },
    ])
    expect((await get('/healthz')).status).toBe(200)
  })
})

describe('a port', () => {
  it('that is taken is said so', async () => {
    const { origin } = await start()
    const { port } = new URL(origin)
    await expect(start({ env: { CLAVIGER_PORT: port } })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use. Stop what uses it, or choose another: --port 0 picks a free one.`,
    )
  })

  it('of an address that is not here is said so', async () => {
    await expect(start({ env: { CLAVIGER_HOST: '203.0.113.7' } })).rejects.toThrow(
      '203.0.113.7 is no address of this machine.',
    )
  })

  it('needs both halves of a certificate', async () => {
    await expect(start({ env: { CLAVIGER_TLS_CERT: '/x' } })).rejects.toThrow(
      'To serve https set both CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY.',
    )
  })
})
