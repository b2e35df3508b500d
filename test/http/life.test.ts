import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BunAnswer } from '../../src/http/bun-answer.ts'
import { type Handler, serve } from '../../src/http/serve.ts'
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

/** A server of nothing but this. */
function served(answer: Handler['answer'], idleSeconds?: number) {
  const failed = () => new Response(null, { status: 500 })
  const options = { host: '127.0.0.1', port: 0, certificate: null, key: null, idleSeconds }
  const server = serve(options, { answer, failed })
  onTestFinished(() => server.close(0, () => {}))
  return server
}

describe('a connection', () => {
  const reading = () => served(async (request) => new Response(`read ${(await request.bytes()).length}`), 1)

  const CUT: [string, string][] = [
    ['that says nothing', ''],
    ['whose headers never end', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    ['whose body never comes', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123'],
    ['that was answered, and asks nothing more', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['that drips, however regularly', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n'],
  ]

  it('is cut that asks nothing, or next to nothing', { timeout: 40_000 }, async () => {
    const { origin } = reading()
    const cut = async ([what, text]: [string, string]) => {
      const { heard, say, end } = await line(origin)
      if (text) say(text)
      const drops = what.startsWith('that drips') ? setInterval(() => say('x'), 250) : undefined
      await expect.poll(() => heard.closed, { timeout: 30_000 }).toBe(true)
      clearInterval(drops)
      end()
      return [what, heard.text.replace(/\r\n[\s\S]*\r\n/, ' ')]
    }
    expect(await Promise.all(CUT.map(cut))).toEqual(
      CUT.map(([what]) => [what, what.startsWith('that was answered') ? 'HTTP/1.1 200 OK read 0' : '']),
    )
  })

  it('on which somebody works may be silent for longer', { timeout: 40_000 }, async () => {
    const asked = Promise.withResolvers<BunAnswer>()
    const patient = served((request, server) => {
      return new Promise((give) => asked.resolve(new BunAnswer(request, server, give, 1)))
    }, 1)
    const hasty = reading()
    const [open, idle] = [await line(patient.origin), await line(hasty.origin)]
    open.say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const answer = await asked.promise
    answer.mayLast()
    idle.say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await expect.poll(() => idle.heard.closed, { timeout: 30_000 }).toBe(true)
    expect(open.heard.closed).toBe(false)
    answer.end('late')
    await expect.poll(() => open.heard.text).toContain('late')
    await expect.poll(() => open.heard.closed, { timeout: 30_000 }).toBe(true)
  })

  it('is told nothing of a mistake of ours', async () => {
    const { origin } = served(() => {
      throw new Error('secret')
    })
    const answer = await fetch(origin)
    expect([answer.status, await answer.text()]).toEqual([500, ''])
  })

  it('that sends requests behind one another never gets an answer out of their order', async () => {
    let asked = 0
    const { origin } = served(async ({ url }) => {
      if (++asked % 2) await new Promise((resolve) => setTimeout(resolve, 50))
      return new Response(new URL(url).pathname)
    })
    const { heard, say } = await line(origin)
    say(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''))
    await expect.poll(() => heard.closed || heard.text.includes('/3')).toBe(true)
    const answers = [...heard.text.matchAll(/\r\n\r\n(\/\d)/g)].map(([, path]) => path)
    expect(answers).toEqual(['/1', '/2', '/3'].slice(0, answers.length))
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

  it('closes a connection that stays open with its last answer', async () => {
    const { app, origin, key } = await start()
    const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
    const [first, second] = [await begun(origin, fullKey), await begun(origin, fullKey)]
    const idle = await line(origin)
    idle.say(`GET /healthz HTTP/1.1\r\nHost: ${new URL(origin).host}\r\n\r\n`)
    await expect.poll(() => idle.heard.text).toContain('HTTP/1.1 200')
    const closing = app.close()
    await expect.poll(() => idle.heard.closed).toBe(true)
    second.finish()
    await expect.poll(() => second.heard.closed).toBe(true)
    expect(second.heard.text).toContain('HTTP/1.1 201')
    expect(first.heard.closed).toBe(false)
    first.finish()
    await closing
    await expect.poll(() => first.heard.text).toContain('HTTP/1.1 201')
  })

  it.each([
    ['/readyz', '"why":"shutting down"'],
    ['/api/v1/whoami', '"code":"shutting_down"'],
    ['/mcp', '"code":-32053'],
  ])('tells a request that was still being sent that it is over: %s', async (path, says) => {
    const { app, origin, key } = await start()
    const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
    const [first, second] = [await begun(origin, fullKey), await line(origin)]
    second.say(`GET ${path} HTTP/1.1\r\n`)
    await expect.poll(() => fetch(`${origin}/healthz`).then(({ status }) => status)).toBe(200)
    const closing = app.close()
    second.say(`Host: ${new URL(origin).host}\r\n\r\n`)
    await expect.poll(() => second.heard.text).toContain('HTTP/1.1 503')
    await expect.poll(() => second.heard.text).toContain(says)
    first.finish()
    await closing
  })

  it('ends streams at once, and cuts what will not end', async () => {
    const streams: BunAnswer[] = []
    const server = served((request, at) => {
      return new Promise((give) => {
        const answer = new BunAnswer(request, at, give)
        answer.writeHead(200, { 'Content-Type': 'text/event-stream' })
        answer.write(': open\n\n')
        if (request.url.endsWith('/stream')) streams.push(answer)
      })
    })
    const [stream, stuck] = await Promise.all([fetch(`${server.origin}/stream`), fetch(`${server.origin}/stuck`)])
    const ends = Promise.all([stream.text().catch(() => 'cut'), stuck.text().catch(() => 'cut')])
    expect(server.draining()).toBe(false)
    await server.close(200, () => {
      expect(server.draining()).toBe(true)
      for (const answer of streams) answer.end('data: bye\n\n')
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
