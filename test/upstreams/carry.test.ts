import { createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { brotliCompressSync, deflateSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failureOf, httpExchange, TooLarge } from '../../src/upstreams/exchange.ts'
import { addressGuard } from '../../src/upstreams/guard.ts'
import { Stop } from '../../src/upstreams/stop.ts'
import { serve, serveRaw, signalled } from './serving.ts'

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
const SIX: [string, string][] = [
  ['::1', 'localhost'],
  ['::1', '[::1]'],
]
const LISTENING: [string, string][] = [['127.0.0.1', 'localhost'], ...(HAS_IPV6 ? SIX : [])]
const guard = addressGuard({ allowPrivate: true })
const signal = new Stop()
const asking = (url: string, options = {}) =>
  httpExchange({ kind: 'http', url, headers: {} }, { environment: {}, guard, ...options })
const text = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const failure = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error) => failureOf(error),
  )

/** A server that sees bytes alone, connection by connection. */
async function bare(connected: (socket: Socket) => void, allowHalfOpen = false) {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    connected(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/mcp`, sockets }
}

describe('a connection', () => {
  it('carries one exchange at a time, and then the next', async () => {
    const under = new Map<Socket, number>()
    let most = 0
    const { url } = await serveRaw((_, body, socket) => {
      const now = (under.get(socket) ?? 0) + 1
      under.set(socket, now)
      most = Math.max(most, now)
      setImmediate(() => {
        under.set(socket, 0)
        socket.write(text(body))
      })
    })
    const ask = asking(url)
    const echoed = async (body: string) => (await ask({ body, signal })).text()
    for (let round = 0; round < 5; round++) {
      const bodies = Array.from({ length: 8 }, (_, at) => `${round}-${at}`)
      expect(await Promise.all(bodies.map(echoed))).toEqual(bodies)
    }
    expect([under.size, most]).toEqual([8, 1])
  })

  it.each([
    ['says so', text('1', 'Connection: close\r\n')],
    ['speaks HTTP/1.0', text('1').replace('1.1', '1.0')],
    ['keeps them for a second', text('1', 'Keep-Alive: timeout=1\r\n')],
    ['says more than it should', `${text('1')}x`],
    ['answers twice', text('1') + text('2')],
  ])('is not used again when the server %s', async (_, answer) => {
    const ports = new Set<number | undefined>()
    const { url } = await serveRaw((_, __, socket) => {
      ports.add(socket.remotePort)
      socket.write(answer)
    })
    const ask = asking(url)
    for (let i = 1; i <= 3; i++) {
      expect(await (await ask({ body: '', signal })).text()).toBe('1')
      expect(ports.size).toBe(i)
    }
  })

  it.each([
    ['closed', (socket: Socket) => socket.end()],
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['spoken on', (socket: Socket) => socket.write(text('for nobody'))],
  ])('that is %s while nobody uses it is left alone', async (_, spoil) => {
    const sockets = new Set<Socket>()
    let asked = 0
    const { url } = await serveRaw((_, __, socket) => {
      asked++
      sockets.add(socket)
      socket.write(text('for us'))
      if (asked < 20) spoil(socket) // at once, in the same breath
    })
    const ask = asking(url)
    for (let i = 1; i <= 20; i++) {
      expect(await (await ask({ body: '', signal })).text()).toBe('for us')
      expect(asked).toBe(i)
    }
    expect(sockets.size).toBe(20)
  })

  it('is closed when its answer is not wanted, and kept when there is none to read', async () => {
    const closed = signalled()
    const { url, sockets } = await bare((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome'))
      socket.on('close', () => closed.resolve())
    })
    const answer = await asking(url)({ body: '', signal })
    answer.cancel()
    await closed.promise
    expect(sockets).toHaveLength(1)
  })

  it('that breaks before a byte of the answer may have delivered the request', async () => {
    let asked = 0
    const { url } = await serveRaw((_, __, socket) => {
      if (++asked === 1) socket.write(text('1'))
      else socket.destroy()
    })
    const ask = asking(url)
    await (await ask({ body: '', signal })).text()
    expect(await failure(ask({ body: '', signal }))).toMatchObject({ stage: 'call', unsent: false })
    expect(asked).toBe(2)
  })

  it.each(['http://127.0.0.1:1/', 'http://127.0.0.1:0/', 'http://[::1]:1/', 'https://localhost:1/'])(
    'is refused with certainty where nothing listens: %s',
    async (url) => {
      expect(await failure(asking(url)({ body: '', signal }))).toMatchObject({ stage: 'connect', unsent: true })
    },
  )

  it.each(LISTENING)('to what listens at %s is found by %s', async (hostname, name) => {
    const server = Bun.serve({ hostname, port: 0, fetch: ({ headers }) => new Response(headers.get('host')) })
    onTestFinished(() => server.stop(true))
    const answer = await asking(`http://${name}:${server.port}/`)({ body: '', signal })
    expect(await answer.text()).toBe(`${name}:${server.port}`)
  })

  it('sends nothing to a server that does not speak TLS', async () => {
    const heard: Buffer[] = []
    const { url } = await bare((socket) => {
      socket.on('data', (bytes: Buffer) => {
        heard.push(bytes)
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      })
    })
    const asked = asking(url.replace('http:', 'https:'))({ body: 'secret', signal })
    expect(await failure(asked)).toMatchObject({ message: expect.stringMatching(/does not speak https/), unsent: true })
    expect(Buffer.concat(heard).toString('latin1')).not.toMatch(/secret|HTTP/)
  })

  it('that is closed during the handshake sent nothing', async () => {
    const { url } = await bare((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const asked = asking(url.replace('http:', 'https:'))({ body: '', signal })
    expect(await failure(asked)).toMatchObject({ stage: 'connect', unsent: true })
  })
})

describe('a server that hangs up at any moment', () => {
  it('gets no request twice, and every one has an outcome', async () => {
    const seen = new Map<string, number>()
    const answered = new Set<string>()
    let turn = 0
    const { url } = await serveRaw((_, body, socket) => {
      seen.set(body, (seen.get(body) ?? 0) + 1)
      const how = turn++ % 11
      if (how === 3) return socket.destroy()
      if (how === 5) return socket.end(text(body).slice(0, -1))
      if (how === 7) return socket.resetAndDestroy()
      answered.add(body)
      socket.write(text(body))
      if (how === 1) socket.end()
      if (how === 2) setImmediate(() => socket.end())
      if (how === 4) setTimeout(() => socket.resetAndDestroy(), 1)
    })
    const ask = asking(url)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, client) => {
        const got: [string, string | boolean][] = []
        for (let i = 0; i < 50; i++) {
          const body = `call ${client}/${i}`
          try {
            got.push([body, await (await ask({ body, signal })).text()])
          } catch (error) {
            got.push([body, failureOf(error).unsent])
          }
        }
        return got
      }),
    )
    for (const [body, outcome] of outcomes.flat()) {
      if (outcome === true) expect(seen.get(body) ?? 0).toBe(0)
      else if (outcome !== false) expect([outcome, seen.get(body)]).toEqual([body, 1])
    }
    expect(Math.max(...seen.values())).toBe(1)
    const lost = outcomes.flat().filter(([body, outcome]) => outcome !== body)
    expect(lost.length).toBeLessThan(500) // most got their answer
    expect(outcomes.flat()).toHaveLength(1_000)
  })
})

describe('a request', () => {
  it('waits for a server that reads slowly, and arrives whole', async () => {
    const size = 8_000_000
    let got = 0
    let end = ''
    const { url } = await bare((socket) => {
      socket.pause()
      setTimeout(() => socket.resume(), 50)
      socket.on('data', (bytes) => {
        got += bytes.length
        end = (end + bytes.toString()).slice(-10)
        if (end.endsWith('the end')) socket.write(text('thanks'))
      })
    })
    const body = `${'ä'.repeat(size / 2)}the end`
    expect(await (await asking(url)({ body, signal })).text()).toBe('thanks')
    expect(got).toBeGreaterThan(size)
  })

  it('that is refused before it has arrived gets its answer', async () => {
    const refusal = 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n'
    const { url, sockets } = await bare((socket) => {
      socket.once('data', () => {
        socket.pause()
        socket.write(refusal)
      })
    })
    const ask = asking(url)
    for (let i = 1; i <= 2; i++) {
      expect((await ask({ body: 'x'.repeat(20_000_000), signal })).status).toBe(413)
      expect(sockets).toHaveLength(i) // the first was not read to its end
    }
  })

  it.each([
    [{ 'X-A': 'a\r\nX-B: b' }],
    [{ 'X-A': 'a\nb' }],
    [{ 'X-A': 'a\rb' }],
    [{ 'X-A': 'a\0b' }],
    [{ 'X-A': 'a\x7f' }],
    [{ 'X-A': 'key \u{1f5dd}' }],
    [{ 'X A': 'a' }],
    [{ 'X-A:': 'a' }],
    [{ 'X\r\nY': 'a' }],
    [{ '': 'a' }],
    [{ Host: 'elsewhere' }],
    [{ 'content-length': '5' }],
    [{ 'Transfer-Encoding': 'chunked' }],
    [{ Connection: 'upgrade' }],
  ])('with the headers %j is never written', async (ownHeaders) => {
    const { url, seen } = serve(() => new Response())
    expect(await failure(asking(url)({ body: '', ownHeaders, signal }))).toMatchObject({ stage: 'start', unsent: true })
    expect(await failure(asking(url)({ body: '', headers: ownHeaders, signal }))).toMatchObject({ unsent: true })
    expect(seen).toEqual([])
  })

  it('carries latin-1 in its headers and UTF-8 in its body', async () => {
    const got = signalled<Buffer>()
    const { url } = await bare((socket) => {
      socket.once('data', (bytes: Buffer) => {
        got.resolve(bytes)
        socket.write(text(''))
      })
    })
    await asking(url)({ body: 'ключ ä', ownHeaders: { 'X-Name': ' Zoë\n' }, signal })
    const bytes = await got.promise
    expect(bytes.toString('latin1')).toContain('X-Name: Zoë\r\n')
    expect(bytes.toString()).toContain('Content-Length: 11\r\n\r\nключ ä')
  })

  it('has each header once, the configured one before all others', async () => {
    const { url, seen } = serve(() => new Response())
    const ask = httpExchange({ kind: 'http', url, headers: { 'x-team': 'configured' } }, { environment: {}, guard })
    const headers = { 'X-Team': 'ours', 'X-Kind': 'ours' }
    await (await ask({ body: '', headers, ownHeaders: { 'X-TEAM': 'own', 'x-kind': 'own' }, signal })).text()
    await (await ask({ body: '', headers, signal })).text()
    expect(seen.map(({ headers }) => [headers.get('x-team'), headers.get('x-kind')])).toEqual([
      ['configured', 'own'],
      ['configured', 'ours'],
    ])
  })

  it.each(['/a%0d%0aX: y', '/a\r\nX-Evil: y', '/ä b?c=ü|{}', '/a#fragment'])('is for one path: %j', async (path) => {
    const got = signalled<string>()
    const { url } = await bare((socket) => {
      socket.once('data', (bytes) => {
        got.resolve(bytes.toString())
        socket.write(text(''))
      })
    })
    await asking(url.replace('/mcp', path))({ body: '', signal })
    const [first, second] = (await got.promise).split('\r\n')
    expect(first).toMatch(/^POST \/[\x21-\x7e]+ HTTP\/1\.1$/)
    expect(first).not.toContain('#')
    expect(second).toMatch(/^Host: 127\.0\.0\.1:\d+$/)
  })
})

describe('an answer', () => {
  it.each([
    ['in single bytes', 1],
    ['in pieces that cut characters', 3],
    ['in one go, in many chunks', 10_000],
  ])('is whole when it comes %s', async (_, size) => {
    const body = '{"text":"ключ 🗝️ ä"}'
    const all = Buffer.from(`HTTP/1.1 200 OK\r\nX-Kept: yes\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunks = Array.from(Buffer.from(body), (byte) =>
      Buffer.concat([Buffer.from('1;x\r\n'), Buffer.of(byte, 13, 10)]),
    )
    const bytes = Buffer.concat([all, ...chunks, Buffer.from('0\r\nX: y\r\n\r\n')])
    const { url } = await bare((socket) => {
      socket.setNoDelay(true)
      socket.once('data', async () => {
        for (let at = 0; at < bytes.length; at += size) {
          socket.write(bytes.subarray(at, at + size))
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
    })
    const answer = await asking(url)({ body: '', signal })
    expect(answer.header('X-Kept'.toLowerCase())).toBe('yes')
    expect(await answer.text()).toBe(body)
  })

  it('of nothing is an empty text', async () => {
    const { url } = await serveRaw((_, __, socket) => socket.write(text('')))
    expect(await (await asking(url)({ body: '', signal })).text()).toBe('')
  })

  it.each([
    ['in one go', text('x'.repeat(101))],
    ['and has not ended yet', text('x'.repeat(102)).slice(0, -1)],
  ])('of more bytes than are allowed is given up when it comes %s', async (_, bytes) => {
    const { url } = await serveRaw((_head, _body, socket) => socket.write(bytes))
    const answer = await asking(url, { limitBytes: 100 })({ body: '', signal })
    await expect(Promise.try(() => answer.text())).rejects.toThrow(TooLarge)
  })

  it.each([
    'SSH-2.0-x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    '<html>\r\n\r\n',
  ])('that is no HTTP may have been acted on: %j', async (answer) => {
    const closed = signalled()
    const { url } = await bare((socket) => {
      socket.once('data', () => socket.write(answer))
      socket.on('close', () => closed.resolve())
    })
    expect(await failure(asking(url)({ body: '', signal }))).toMatchObject({ stage: 'call', unsent: false })
    await closed.promise
  })

  it.each([
    ['deflate', deflateSync('{"a":1}')],
    ['br', brotliCompressSync('{"a":1}')],
    ['X-GZIP', Buffer.from(Bun.gzipSync('{"a":1}'))],
  ])('that is compressed with %s is read', async (encoding, bytes) => {
    const { url } = serve(() => new Response(bytes, { headers: { 'Content-Encoding': encoding } }))
    expect(await (await asking(url)({ body: '', signal })).text()).toBe('{"a":1}')
  })

  it.each(['identity', 'constructor', '__proto__', 'zstd'])('in the encoding %j is left as it is', async (encoding) => {
    const { url } = serve(() => new Response('{}', { headers: { 'Content-Encoding': encoding } }))
    expect(await (await asking(url)({ body: '', signal })).text()).toBe('{}')
  })

  it.each([
    ['is cut off', Bun.gzipSync('x'.repeat(10_000)).subarray(0, 20)],
    ['is no gzip at all', Buffer.from('{"a":1}')],
  ])('that is compressed and %s is broken', async (_, bytes) => {
    const { url } = serve(() => new Response(Buffer.from(bytes), { headers: { 'Content-Encoding': 'gzip' } }))
    const answer = await asking(url)({ body: '', signal })
    expect(await failure(Promise.try(() => answer.text()))).toMatchObject({ unsent: false })
  })

  it('that swells without end is given up', async () => {
    const closed = signalled()
    const bomb = Buffer.from(Bun.gzipSync(Buffer.alloc(50_000_000)))
    const { url } = await bare((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length + 1}\r\n\r\n`)
        socket.write(bomb)
      })
      socket.on('close', () => closed.resolve())
    })
    const answer = await asking(url, { limitBytes: 1_000_000 })({ body: '', signal })
    await expect(answer.text()).rejects.toThrow(TooLarge)
    await closed.promise
  })

  it('waits for whoever reads it', async () => {
    const piece = Buffer.alloc(1_000_000, 'x')
    let written = 0
    const { url } = await bare((socket) => {
      socket.once('data', async () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
        for (let i = 0; i < 60; i++) {
          if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve))
          written += piece.length
        }
        socket.end()
      })
    })
    const goOn = signalled()
    let heard = 0
    const answer = await asking(url)({ body: '', signal })
    const whole = answer.read((bytes) => {
      heard += bytes.length
      return goOn.promise
    })
    await expect.poll(() => written, { timeout: 10_000 }).toBeGreaterThan(0)
    let before = -1
    await expect // until the server writes no more, though it could
      .poll(
        () => {
          const stands = before === written
          before = written
          return stands
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe(true)
    expect(written).toBeLessThan(40_000_000)
    goOn.resolve()
    await whole
    expect(heard).toBe(60 * piece.length)
  })
})

describe('an end', () => {
  it.each([
    ['before anything is sent', ''],
    ['before the answer', null],
    ['within the head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['within the body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell'],
  ])('by the caller %s closes the connection', async (_, answer) => {
    const arrived = signalled()
    const closed = signalled()
    const { url, sockets } = await bare((socket) => {
      socket.once('data', () => {
        if (answer) socket.write(answer)
        arrived.resolve()
      })
      socket.on('close', () => closed.resolve())
    })
    const stop = new Stop()
    const asked = asking(url)({ body: '', signal: stop })
    const read = asked.then((head) => head.text())
    if (answer === '') {
      stop.abort()
      await expect(read).rejects.toThrow()
      return
    }
    await arrived.promise
    if (answer?.includes('hell')) await asked
    stop.abort()
    await expect(read).rejects.toThrow()
    await closed.promise
    expect(sockets).toHaveLength(1)
  })

  it('by a signal that came first asks nobody', async () => {
    const { url, seen } = serve(() => new Response())
    await expect(asking(url)({ body: '', signal: AbortSignal.abort() })).rejects.toThrow()
    expect(seen).toEqual([])
  })

  it('after the answer leaves the connection to others', async () => {
    const sockets = new Set<Socket>()
    const { url } = await serveRaw((_, body, socket) => {
      sockets.add(socket)
      if (body !== 'waits') socket.write(text(body))
      else setTimeout(() => socket.write(text(body)), 20)
    })
    const ask = asking(url)
    const stop = new Stop()
    await (await ask({ body: 'first', signal: stop })).text()
    const second = ask({ body: 'waits', signal })
    stop.abort()
    expect(await (await second).text()).toBe('waits')
    expect(sockets.size).toBe(1)
  })
})

describe('many exchanges', () => {
  it('go on at once, a thousand of them, each with its own answer', async () => {
    let waiting: (() => void)[] = []
    const { url } = serve(async ({ headers }) => {
      const mine = headers.get('x-number')
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        if (waiting.length < 1_000) return
        for (const go of waiting) go()
        waiting = []
      })
      return new Response(mine)
    })
    const ask = asking(url)
    for (let round = 0; round < 2; round++) {
      const numbers = Array.from({ length: 1_000 }, (_, at) => `${round}/${at}`)
      const one = async (number: string) => (await ask({ body: '', ownHeaders: { 'X-Number': number }, signal })).text()
      expect(await Promise.all(numbers.map(one))).toEqual(numbers)
    }
  })
})
