import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { readBody } from '../../src/gateway/message.ts'
import { listen, serverFor } from '../../src/http/listen.ts'

const open: (() => void)[] = []
afterEach(() => {
  for (const end of open.splice(0)) end()
})

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown

/** A server of which `/mcp` is answered swiftly, and everything else by node:http. */
async function served(answer: Handler, keepAliveTimeout = 65_000) {
  const server = serverFor({ certificate: null, key: null }, { keepAliveTimeout })
  server.on('request', (_req: IncomingMessage, res: ServerResponse) => res.end('by node'))
  const swift = async (req: IncomingMessage, res: ServerResponse) => void (await answer(req, res))
  const origin = await listen(server, '127.0.0.1', 0, { paths: ['/mcp', '/mcp/*'], answer: swift })
  open.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return origin
}

/** One connection, and what came on it. */
async function line(origin: string) {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  const heard = { text: '', bytes: 0, closed: false }
  socket.on('data', (piece) => {
    heard.bytes += piece.length
    if (heard.text.length < 4096) heard.text += piece
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    heard.closed = true
  })
  await new Promise((resolve) => socket.once('connect', resolve))
  open.push(() => socket.destroy())
  return { socket, heard, get: (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`) }
}

const eventually = { timeout: 10_000 }

describe('an address that Bun answers', () => {
  it('never reaches node:http, which answers all others', async () => {
    const origin = await served((req, res) => res.writeHead(201, { 'X-Seen': req.url! }).end('by Bun'))
    for (const path of ['/mcp', '/mcp?x=1', '/mcp/a', '/mcp/a/b?c']) {
      const answer = await fetch(origin + path)
      expect([answer.status, answer.headers.get('x-seen'), await answer.text()]).toEqual([201, path, 'by Bun'])
    }
    for (const path of ['/', '/mcpx', '/x/mcp']) expect(await (await fetch(origin + path)).text()).toBe('by node')
  })

  it('tells method, headers and the caller’s address, and reads a body of known or unknown length', async () => {
    const origin = await served(async (req, res) => {
      const { method, headers, socket } = req
      res.end([method, headers['x-own'], socket.remoteAddress, await readBody(req)].join(' '))
    })
    const headers = { 'X-Own': 'yes' }
    const sent = (body: string | ReadableStream) => fetch(`${origin}/mcp`, { method: 'POST', headers, body })
    expect(await (await sent('whole')).text()).toBe('POST yes 127.0.0.1 whole')
    const pieces = new Blob(['in ', 'pieces']).stream()
    expect(await (await sent(pieces)).text()).toBe('POST yes 127.0.0.1 in pieces')
  })

  it('takes no more of a body than it is told', async () => {
    const origin = await served((req, res) =>
      readBody(req, 1024 * 1024).then(
        () => res.end('taken'),
        (error) => res.end(error.code),
      ),
    )
    const body = new Blob(['x'.repeat(1024 * 1024), 'y'])
    for (const sent of [body, body.stream()])
      expect(await (await fetch(`${origin}/mcp`, { method: 'POST', body: sent })).text()).toBe('payload_too_large')
  })

  it('is not cut by the patience that node:http had with the connection', async () => {
    const release = Promise.withResolvers<void>()
    const origin = await served(async (_req, res) => {
      await release.promise
      res.end('late')
    }, 300)
    const [mixed, idle] = [await line(origin), await line(origin)]
    for (const { get } of [mixed, idle]) get('/')
    for (const { heard } of [mixed, idle]) await expect.poll(() => heard.text).toContain('by node')
    mixed.get('/mcp')
    await expect.poll(() => idle.heard.closed, eventually).toBe(true)
    expect(mixed.heard.closed).toBe(false)
    release.resolve()
    await expect.poll(() => mixed.heard.text, eventually).toContain('late')
  })
})

describe('a stream that Bun carries', () => {
  it('comes as it is written, and ends', async () => {
    const more = Promise.withResolvers<void>()
    const origin = await served(async (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write('first,')
      await more.promise
      res.end('last')
    })
    const { heard, get } = await line(origin)
    get('/mcp')
    await expect.poll(() => heard.text).toContain('first,')
    expect(heard.text).not.toContain('last')
    more.resolve()
    await expect.poll(() => heard.text).toMatch(/last\r\n0\r\n\r\n$/)
    expect(heard.closed).toBe(false)
  })

  it('counts what its reader does not take, and ends the connection when told so', async () => {
    const begun = Promise.withResolvers<ServerResponse>()
    const origin = await served((_req, res) => {
      res.write('begin')
      begun.resolve(res)
    })
    const { socket, heard, get } = await line(origin)
    get('/mcp')
    const res = await begun.promise
    await expect.poll(() => heard.text).toContain('begin')
    socket.pause()
    const piece = 'x'.repeat(1024 * 1024)
    const written = 32
    for (let i = 0; i < written; i++) res.write(piece)
    expect(res.writableLength).toBeGreaterThan(8 * piece.length)
    const closed = new Promise((resolve) => res.once('close', () => resolve('closed')))
    res.destroy()
    expect(await closed).toBe('closed')
    expect([res.destroyed, res.write('more')]).toEqual([true, false])
    socket.resume()
    await expect.poll(() => heard.closed, eventually).toBe(true)
    expect(heard.bytes).toBeLessThan(written * piece.length)
  })

  it.each([
    ['before it began', () => {}],
    ['in the middle', (res: ServerResponse) => res.write('begin')],
  ])('hears that its reader hung up %s', async (_when, begin) => {
    const asked = Promise.withResolvers<ServerResponse>()
    const gone = Promise.withResolvers<string>()
    const origin = await served((_req, res) => {
      res.once('close', () => gone.resolve('gone'))
      begin(res)
      asked.resolve(res)
    })
    const { socket, get } = await line(origin)
    get('/mcp')
    const res = await asked.promise
    socket.destroy()
    expect(await gone.promise).toBe('gone')
    expect([res.destroyed, res.write('to nobody')]).toEqual([true, false])
  })

  it('closes with its answer, once', async () => {
    const closed: number[] = []
    const origin = await served((_req, res) => {
      res.once('close', () => closed.push(res.statusCode))
      res.writeHead(202).end()
    })
    expect((await fetch(`${origin}/mcp`, { method: 'POST' })).status).toBe(202)
    expect(closed).toEqual([202])
  })
})

it('a failure that nobody caught ends the connection, and nothing else', async () => {
  const origin = await served(async (req) => {
    if (req.url === '/mcp/bad') throw new Error('a bug')
  })
  const { heard, get } = await line(origin)
  get('/mcp/bad')
  await expect.poll(() => heard.closed, eventually).toBe(true)
  expect(await (await fetch(origin)).text()).toBe('by node')
})
