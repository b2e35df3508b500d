import { connect } from 'node:net'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { BunAnswer } from '../../src/http/bun-answer.ts'
import { BunRequest } from '../../src/http/bun-request.ts'
import { trustedProxies } from '../../src/http/seen.ts'
import { serve } from '../../src/http/serve.ts'
import { throughExpress } from '../../src/http/through-express.ts'
import { silent } from '../../src/log.ts'
import { start } from '../support/start.ts'

const DOOR = { https: false, proxies: trustedProxies([]), log: silent }

/** A site alone; what it could not answer is answered `failed`. */
function serving(prepare: (site: Express) => void): string {
  const site = express()
  prepare(site)
  const answer = (request: Request, server: Bun.Server<undefined>) =>
    new Promise<Response>((give) => {
      const to = new BunAnswer(request, server, give)
      const failed = () => (to.begun ? to.cut() : to.writeHead(500).end('failed'))
      throughExpress(site, new BunRequest(request, 'req_1', '127.0.0.1', DOOR), to, failed)
    })
  const failed = () => new Response('Bun heard it', { status: 500 })
  const server = serve({ host: '127.0.0.1', port: 0, certificate: null, key: null }, { answer, failed })
  onTestFinished(() => server.close(0, () => {}))
  return server.origin
}

const NOT_OURS: ErrorRequestHandler = () => {
  throw new Error('secret')
}

it.each([
  ['declared', () => 'a'.repeat(300_000)],
  ['in pieces', () => new Blob(['a'.repeat(300_000)]).stream()],
])('refuses a form that is too large, %s', async (_how, body) => {
  const { origin } = await start()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
  const answer = await fetch(`${origin}/admin/sign-in`, { method: 'POST', headers, body: body() })
  expect([answer.status, await answer.text()]).toEqual([
    413,
    expect.stringContaining('This form is larger than any of ours.'),
  ])
})

it('tells nothing of a mistake in a page for mistakes', async () => {
  const origin = serving((site) => {
    site.get('/', () => {
      throw new Error('secret')
    })
    site.use(NOT_OURS)
  })
  const answer = await fetch(origin)
  expect([answer.status, await answer.text()]).toEqual([500, 'failed'])
})

it('gives a bare status for an answer that cannot be made, and closes', async () => {
  const origin = serving((site) => {
    site.get('/', (_req, res) => {
      res.statusCode = 600
      res.end()
    })
    site.use(((_error, _req, res, _next) => void res.destroy()) as ErrorRequestHandler)
  })
  const answer = await fetch(origin)
  expect([answer.status, answer.headers.get('connection'), await answer.text()]).toEqual([500, 'close', ''])
})

it('says every cookie, and nothing where nothing may be said', async () => {
  const origin = serving((site) => {
    site.disable('etag')
    site.get('/cookies', (_req, res) => void res.cookie('a', '1').cookie('b', '2').send('both'))
    site.get('/none', (_req, res) => void res.status(204).send('x'))
    site.get('/same', (_req, res) => void res.set('ETag', '"1"').status(304).end())
  })
  const cookies = await fetch(`${origin}/cookies`)
  expect([cookies.headers.getSetCookie(), await cookies.text()]).toEqual([['a=1; Path=/', 'b=2; Path=/'], 'both'])
  const head = await fetch(`${origin}/cookies`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', ''])
  for (const [path, status] of [
    ['/none', 204],
    ['/same', 304],
  ] as const) {
    const answer = await fetch(origin + path)
    expect([answer.status, await answer.text()]).toEqual([status, ''])
  }
})

it.each([
  ['/admin/sign-in', 'application/x-www-form-urlencoded'],
  ['/api/v1/keys', 'application/json'],
])('takes a caller who hangs up in the middle of a body for no mistake of ours: %s', async (path, type) => {
  const { origin, key, logs, get } = await start()
  const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
  const { hostname, port, host } = new URL(origin)
  const socket = connect(Number(port), hostname)
  const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${fullKey}`, `Content-Type: ${type}`]
  socket.write(
    [...head, 'Sec-Fetch-Site: same-origin', 'Content-Length: 9', 'Expect: 100-continue', '', 'a'].join('\r\n'),
  )
  await new Promise((resolve) => socket.once('data', resolve))
  socket.destroy()
  await expect.poll(() => logs.some((line) => line.includes(`"url":"${path}"`)), { timeout: 10_000 }).toBe(true)
  await get('/healthz') // by then whoever was reading has heard it
  expect(logs.filter((line) => line.includes('"level":"error"'))).toEqual([])
})
