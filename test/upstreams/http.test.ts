import { createRequire } from 'node:module'
import { describe, expect, it, onTestFinished } from 'vitest'
import { addressGuard } from '../../src/upstreams/guard.ts'
import { httpWire, statelessWire } from '../../src/upstreams/http.ts'
import { startFixture } from '../fixtures/upstream/http.ts'
import { askOnTheHeels, type Heard, listen } from './listening.ts'
import { answered, eventStream, result, type Seen, serve, serveRaw, signalled } from './serving.ts'

const options = { environment: {}, guard: addressGuard({ allowPrivate: true }) }
const at = (url: string, headers: Record<string, string> = {}) => ({ kind: 'http' as const, url, headers })
const called = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call"}`

async function fixture() {
  const upstream = await startFixture()
  onTestFinished(() => upstream.close())
  return upstream
}

/** A legacy server with a session, no stream of its own, and `answer` for all but the handshake. */
function sessions(answer: (seen: Seen, request: Request) => Response | Promise<Response>) {
  return serve((seen, request) => {
    if (seen.method === 'DELETE') return new Response(null, { status: 204 })
    if (seen.message.method === 'initialize')
      return Response.json(result(seen.message.id, { protocolVersion: '2025-11-25' }), {
        headers: { 'Mcp-Session-Id': 'session-1' },
      })
    if (seen.message.method === 'notifications/initialized') return new Response(null, { status: 202 })
    if (seen.method === 'GET' && seen.headers.get('last-event-id') === null) return new Response(null, { status: 405 })
    return answer(seen, request)
  })
}

const isMessage = (event: Heard): event is Extract<Heard, { kind: 'message' }> => event.kind === 'message'

describe('a real server', () => {
  it('shakes hands, lists, calls and hears what is said meanwhile', async () => {
    const { url } = await fixture()
    const { ask, shakeHands, heard } = await listen(httpWire(at(url), options))
    await shakeHands()
    expect(((await ask(1, 'tools/list')).result!.tools as unknown[]).length).toBeGreaterThan(5)
    await ask(2, 'tools/call', { name: 'test_tool_with_progress', arguments: {}, _meta: { progressToken: 2 } })
    const progress = heard.filter(isMessage).filter(({ message }) => message.method === 'notifications/progress')
    expect(progress.map(({ exchange }) => exchange)).toEqual([2, 2, 2])
  })

  it('hears of changes unasked', async () => {
    const { url } = await fixture()
    const { ask, shakeHands, until } = await listen(httpWire(at(url), options))
    await shakeHands()
    await ask(1, 'resources/subscribe', { uri: 'test://watched-resource' })
    const changed = (event: Heard): event is Extract<Heard, { kind: 'message' }> =>
      isMessage(event) && event.message.method === 'notifications/tools/list_changed'
    const [heard] = await Promise.all([until(changed), ask(2, 'tools/call', { name: 'test_trigger_tool_change' })])
    expect(heard.exchange).toBeNull()
  })

  it('resumes an answer whose stream the server ends early', async () => {
    const { url } = await fixture()
    const { ask, shakeHands, heard } = await listen(httpWire(at(url), options))
    await shakeHands()
    expect(await ask(1, 'tools/call', { name: 'test_reconnection', arguments: {} })).toHaveProperty('result.content')
    expect(heard.filter(({ kind }) => kind === 'failed')).toEqual([])
  })

  it('answers a modern request without a session', async () => {
    const { url } = await fixture()
    const { ask } = await listen(statelessWire(at(url), options))
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const hello = await ask(1, 'server/discover', { _meta }, { 'Mcp-Method': 'server/discover' })
    expect(hello.result!.supportedVersions).toContain('2026-07-28')
  })

  it('speaks with server-everything over HTTP', async () => {
    const main = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js')
    const free = Bun.serve({ port: 0, fetch: () => new Response() })
    const { port } = free
    await free.stop(true)
    const child = Bun.spawn([process.execPath, main, 'streamableHttp'], {
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    onTestFinished(async () => {
      child.kill()
      await child.exited
    })
    for await (const piece of child.stderr) if (new TextDecoder().decode(piece).includes('listening')) break
    const { ask, shakeHands } = await listen(httpWire(at(`http://127.0.0.1:${port}/mcp`), options))
    await shakeHands()
    const echoed = await ask(1, 'tools/call', { name: 'echo', arguments: { message: 'hello' } })
    expect(JSON.stringify(echoed.result)).toContain('hello')
  })
})

describe('what is sent', () => {
  it('names session and revision from the handshake on', async () => {
    const { url, seen } = sessions(({ message }) => answered(message.id))
    const { ask, shakeHands } = await listen(httpWire(at(url), options))
    await shakeHands()
    await ask(1, 'tools/list')
    const [hello, ...later] = seen
    expect(hello!.headers.get('mcp-session-id')).toBeNull()
    expect(hello!.headers.get('mcp-protocol-version')).toBeNull()
    for (const { headers } of later) {
      expect(headers.get('mcp-session-id')).toBe('session-1')
      expect(headers.get('mcp-protocol-version')).toBe('2025-11-25')
    }
    expect(later.find(({ message }) => message.id === 1)!.headers.get('accept')).toBe(
      'application/json, text/event-stream',
    )
  })

  it('adds configured headers, but not in place of its own', async () => {
    const { url, seen } = serve(({ message }) => answered(message.id))
    const headers = { Authorization: 'Bearer ${TOKEN}', accept: 'x', 'MCP-Session-ID': 'x', Host: 'x', 'X-Team': 'a' }
    const { ask } = await listen(httpWire(at(url, headers), { ...options, environment: { TOKEN: 't0ken' } }))
    await ask(1, 'tools/list')
    expect(Object.fromEntries(seen[0]!.headers)).toMatchObject({
      authorization: 'Bearer t0ken',
      'x-team': 'a',
      accept: 'application/json, text/event-stream',
      host: new URL(url).host,
    })
    expect(seen[0]!.headers.has('mcp-session-id')).toBe(false)
  })

  it.each([
    [{ Authorization: '${MISSING}' }, /MISSING is not set/],
    [{ Authorization: '${CLAVIGER_SECRET}' }, /CLAVIGER_SECRET is not set/],
    [{ Authorization: 'a\nb' }, /"Authorization" cannot be sent/],
  ])('refuses the headers %j', async (headers, reason) => {
    const open = httpWire(at('http://127.0.0.1:9/', headers), { ...options, environment: { CLAVIGER_SECRET: 's' } })
    await expect(listen(open)).rejects.toThrow(reason)
  })

  it('holds requests back until the greeting was heard', async () => {
    const greeted = signalled()
    const order: string[] = []
    const { url } = serve(async ({ method, message }) => {
      if (method === 'GET') return new Response(null, { status: 405 })
      if (message.method === 'notifications/initialized') await greeted.promise
      order.push(message.method!)
      if (message.id === undefined) return new Response(null, { status: 202 })
      return answered(message.id, { protocolVersion: '2025-11-25' })
    })
    await askOnTheHeels(await listen(httpWire(at(url), options)), greeted.resolve)
    expect(order).toEqual(['initialize', 'notifications/initialized', 'tools/list', 'ping'])
  })

  it('uses one connection again and again', async () => {
    const ports = new Set<number | undefined>()
    const { url } = await serveRaw((_, body, socket) => {
      ports.add(socket.remotePort)
      const text = JSON.stringify(result(JSON.parse(body).id))
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
    })
    const { ask } = await listen(httpWire(at(url), options))
    for (let id = 1; id <= 20; id++) await ask(id, 'ping')
    expect(ports.size).toBe(1)
  })

  it('says goodbye to a session, once', async () => {
    const { url, seen } = sessions(({ message }) => answered(message.id))
    const { shakeHands, wire, closed } = await listen(httpWire(at(url), options))
    await shakeHands()
    await Promise.all([wire.close(), wire.close()])
    expect(
      seen.filter(({ method }) => method === 'DELETE').map(({ headers }) => headers.get('mcp-session-id')),
    ).toEqual(['session-1'])
    expect(await closed()).toMatchObject({ stage: 'session' })
  })

  it('does not wait long for a goodbye', async () => {
    const { url } = serve(({ method, message }) => {
      if (method === 'DELETE') return new Promise<Response>(() => {})
      return Response.json(result(message.id), { headers: { 'Mcp-Session-Id': 's' } })
    })
    const { ask, wire } = await listen(httpWire(at(url), options))
    await ask(0, 'initialize')
    const started = performance.now()
    await wire.close()
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('hangs up when the caller does', async () => {
    const arrived = signalled()
    const left = signalled()
    const { url } = serve((_, request) => {
      request.signal.addEventListener('abort', () => left.resolve())
      arrived.resolve()
      return new Promise(() => {})
    })
    const { wire, heard } = await listen(statelessWire(at(url), options))
    const caller = new AbortController()
    wire.send(called(1), { id: 1, signal: caller.signal })
    await arrived.promise
    caller.abort()
    await left.promise
    expect(heard).toEqual([])
  })

  it.each([
    ['session', httpWire, 2],
    ['stateless', statelessWire, 1],
  ])('hangs up on what a %s cancels', async (_, wireFor, messages) => {
    const arrived = signalled()
    const left = signalled()
    const { url, seen } = serve((one, request) => {
      if (one.message.method === 'notifications/cancelled') return new Response(null, { status: 202 })
      request.signal.addEventListener('abort', () => left.resolve())
      arrived.resolve()
      return new Promise(() => {})
    })
    const { wire, say } = await listen(wireFor(at(url), options))
    wire.send(called(1), { id: 1 })
    await arrived.promise
    say('notifications/cancelled', { requestId: 1 })
    await left.promise
    await expect.poll(() => seen.length).toBe(messages)
  })
})

describe('a refusal', () => {
  it('passes on a JSON-RPC error that comes with a status', async () => {
    const error = { code: -32020, message: 'headers differ' }
    const { url } = serve(({ message }) => Response.json({ jsonrpc: '2.0', id: message.id, error }, { status: 400 }))
    const { ask } = await listen(httpWire(at(url), options))
    expect(await ask(1, 'tools/list')).toMatchObject({ error })
  })

  it.each([
    [401, 'handshake', /status 401. Are the credentials/],
    [405, 'handshake', /status 405/],
    [500, 'handshake', /status 500/],
  ])('tells of status %i without its text', async (status, stage, message) => {
    const { url } = serve(() => new Response('<h1>stack trace with secrets</h1>', { status }))
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    const failure = await fails(1)
    expect(failure).toMatchObject({ stage, message: expect.stringMatching(message), unsent: false })
    expect(failure.message).not.toMatch(/secrets/)
  })

  it.each([
    [404, { code: -32001, message: 'Session not found' }],
    [400, { code: -32000, message: 'Bad Request: No valid session ID provided' }],
  ])('takes %i for the loss of the session', async (status, error) => {
    const waiting = signalled()
    const { url } = sessions(({ message }) => {
      if (message.id === 2) return Response.json({ jsonrpc: '2.0', id: null, error }, { status })
      waiting.resolve()
      return new Promise(() => {})
    })
    const { wire, shakeHands, fails, closed, heard } = await listen(httpWire(at(url), options))
    await shakeHands()
    wire.send(called(1), { id: 1 })
    await waiting.promise
    wire.send(called(2), { id: 2 })
    expect(await fails(2)).toMatchObject({ stage: 'session', unsent: true })
    expect(await fails(1)).toMatchObject({ stage: 'session', unsent: false }) // it may have been acted on
    expect(await closed()).toMatchObject({ stage: 'session', unsent: true })
    wire.send(called(3), { id: 3 })
    expect(await fails(3)).toMatchObject({ unsent: true })
    expect(heard.filter(({ kind }) => kind === 'closed')).toHaveLength(1)
  })

  it('says so when nobody listens', async () => {
    const { wire, fails } = await listen(httpWire(at('http://127.0.0.1:1/mcp'), options))
    wire.send(called(1), { id: 1 })
    expect(await fails(1)).toMatchObject({ stage: 'connect', unsent: true, message: expect.stringMatching(/accepts/) })
  })

  it('says so when a page answers', async () => {
    const { url } = serve(() => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }))
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    expect((await fails(1)).message).toMatch(/does not speak MCP/)
  })

  it('fails a request whose answer is about another', async () => {
    const { url } = serve(() => answered(99))
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    expect((await fails(1)).message).toMatch(/not to this request/)
  })

  it('fails a request that is accepted and never answered', async () => {
    const { url } = serve(() => new Response(null, { status: 202 }))
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    await fails(1)
  })
})

describe('a redirect', () => {
  it('is followed within the origin, with all that was sent', async () => {
    const { url, seen } = serve(({ path, message }) =>
      path === '/mcp' ? new Response(null, { status: 307, headers: { Location: '/mcp/' } }) : answered(message.id),
    )
    const { ask } = await listen(httpWire(at(url, { Authorization: 'Bearer x' }), options))
    await ask(1, 'tools/list')
    expect(seen[1]).toMatchObject({ method: 'POST', path: '/mcp/', text: seen[0]!.text })
    expect(seen[1]!.headers.get('authorization')).toBe('Bearer x')
  })

  it('is not followed to another origin', async () => {
    const other = serve(({ message }) => answered(message.id))
    const { url } = serve(() => new Response(null, { status: 307, headers: { Location: other.url } }))
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    expect(await fails(1)).toMatchObject({ message: expect.stringContaining(other.origin), unsent: true })
    expect(other.seen).toEqual([])
  })

  it.each(['http://169.254.169.254/latest/', 'file:///etc/passwd', 'data:application/json,{}', '//metadata/'])(
    'is not followed to %s',
    async (location) => {
      const { url } = serve(() => new Response(null, { status: 302, headers: { Location: location } }))
      const { wire, fails } = await listen(httpWire(at(url), options))
      wire.send(called(1), { id: 1 })
      expect((await fails(1)).message).toMatch(/redirects to another address/)
    },
  )

  it('is followed three times and no more', async () => {
    const { url, seen } = serve(() => new Response(null, { status: 308, headers: { Location: '/mcp' } }))
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    expect((await fails(1)).message).toMatch(/too often/)
    expect(seen).toHaveLength(4)
  })

  it('makes no GET of a call', async () => {
    const { url, seen } = serve(() => new Response(null, { status: 303, headers: { Location: '/login' } }))
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    await fails(1)
    expect(seen).toHaveLength(1)
  })
})

describe('a broken answer', () => {
  it.each(['fin', 'reset'])('is never asked for again (%s)', async (how) => {
    const { url, asked } = await serveRaw((_, body, socket) => {
      if (JSON.parse(body).method !== 'tools/call') {
        const text = JSON.stringify(result(JSON.parse(body).id))
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
        )
      } else if (how === 'fin') socket.end()
      else socket.resetAndDestroy()
    })
    const { ask, wire, fails } = await listen(httpWire(at(url), options))
    await ask(1, 'ping') // so that the connection is one that was kept
    wire.send(called(2), { id: 2 })
    expect(await fails(2)).toMatchObject({ unsent: false })
    await ask(3, 'ping')
    expect(asked()).toBe(3)
  })

  it('fails when it is half of a JSON text', async () => {
    const { url } = await serveRaw((_, __, socket) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"jsonrpc"')
    })
    const { wire, fails } = await listen(httpWire(at(url), options))
    wire.send(called(1), { id: 1 })
    expect(await fails(1)).toMatchObject({ unsent: false })
  })

  it('fails when the stream ends and cannot be resumed', async () => {
    const { url, seen } = sessions(() =>
      eventStream((say, end) => {
        say('data: {"jsonrpc":"2.0","method":"x"}\n\n')
        end()
      }),
    )
    const { wire, shakeHands, fails } = await listen(httpWire(at(url), options))
    await shakeHands()
    wire.send(called(1), { id: 1 })
    expect(await fails(1)).toMatchObject({ message: expect.stringMatching(/ended the stream/), unsent: false })
    expect(seen.filter(({ message }) => message.id === 1)).toHaveLength(1)
  })

  it('is taken up again after a cut within a character', async () => {
    const whole = JSON.stringify(result(1, { text: 'a🗝️b' }))
    const gets: string[] = []
    const { url } = await serveRaw((head, body, socket) => {
      const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n'
      const id = /last-event-id: (.*)/i.exec(head)?.[1]
      if (id) {
        gets.push(id)
        socket.end(`${stream}id: 8\ndata: ${whole}\n\n`)
      } else if (head.startsWith('GET')) socket.end('HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n')
      else if (body.includes('"id":0')) {
        const text = JSON.stringify(result(0, { protocolVersion: '2025-11-25' }))
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
        )
      } else if (!body.includes('"id"')) socket.write('HTTP/1.1 202 Ok\r\nContent-Length: 0\r\n\r\n')
      else {
        const bytes = Buffer.from(`id: 7\nretry: 5\ndata:\n\ndata: ${whole}\n\n`)
        socket.write(stream)
        socket.end(bytes.subarray(0, bytes.indexOf('🗝') + 2))
      }
    })
    const { ask, shakeHands } = await listen(httpWire(at(url), options))
    await shakeHands()
    expect(await ask(1, 'tools/call')).toEqual(result(1, { text: 'a🗝️b' }))
    expect(gets).toEqual(['7'])
  })

  it('gives up resuming when nothing new comes', async () => {
    const { url, seen } = sessions(({ method }) =>
      eventStream((say, end) => {
        if (method === 'POST') say('id: 1\nretry: 1\ndata:\n\n')
        end()
      }),
    )
    const { wire, shakeHands, fails } = await listen(httpWire(at(url), options))
    await shakeHands()
    wire.send(called(1), { id: 1 })
    await fails(1)
    expect(seen.filter(({ headers }) => headers.get('last-event-id') === '1')).toHaveLength(5)
  })

  const large = 'x'.repeat(2_000_000)
  it.each([
    ['JSON', () => answered(1, { large })],
    ['JSON of unknown length', () => new Response(pieces(JSON.stringify(result(1, { large }))), JSON_TYPE)],
    ['an event', () => eventStream((say) => say(`data: ${JSON.stringify(result(1, { large }))}\n\n`))],
    ['an endless event', () => eventStream((say) => say(`data: ${large}`))],
    ['compressed', () => new Response(Bun.gzipSync(JSON.stringify(result(1, { large }))), GZIP)],
  ])('fails when it is too large: %s', async (_, answer) => {
    const { url } = serve(({ message }) => (message.id === 1 ? answer() : answered(message.id)))
    const { wire, fails, ask } = await listen(httpWire(at(url), { ...options, limitBytes: 1_000_000 }))
    wire.send(called(1), { id: 1 })
    expect(await fails(1)).toMatchObject({ message: expect.stringMatching(/too large/), unsent: false })
    await ask(2, 'ping')
  })

  it('passes many events that are large only together', async () => {
    const { url } = serve(() =>
      eventStream((say, end) => {
        for (let i = 0; i < 40; i++) say(`data: {"jsonrpc":"2.0","method":"n","params":"${'x'.repeat(50_000)}"}\n\n`)
        say(`data: ${JSON.stringify(result(1))}\n\n`)
        end()
      }),
    )
    const { ask, heard } = await listen(httpWire(at(url), { ...options, limitBytes: 1_000_000 }))
    await ask(1, 'tools/call')
    expect(heard).toHaveLength(41)
  })

  it('undoes compression that nobody asked for', async () => {
    const { url, seen } = serve(() => new Response(Bun.gzipSync(JSON.stringify(result(1, { a: 1 }))), GZIP))
    const { ask } = await listen(httpWire(at(url), options))
    expect(await ask(1, 'ping')).toEqual(result(1, { a: 1 }))
    expect(seen[0]!.headers.get('accept-encoding')).toBe('identity')
  })
})

describe('the stream of what is said unasked', () => {
  it('is opened again where it broke off', async () => {
    const second = signalled<string | null>()
    const { url } = serve(({ method, headers, message }) => {
      if (method !== 'GET') return answered(message.id, { protocolVersion: '2025-11-25' })
      const last = headers.get('last-event-id')
      if (last !== null) second.resolve(last)
      return eventStream((say, end) => {
        say(`retry: 5\nid: 41\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n`)
        if (last === null) end()
      })
    })
    const { shakeHands, heard } = await listen(httpWire(at(url), options))
    await shakeHands()
    expect(await second.promise).toBe('41')
    expect(heard.filter(isMessage).some(({ exchange }) => exchange === null)).toBe(true)
  })

  it('delays no call while it hangs', async () => {
    const { url } = serve(({ method, message }) =>
      method === 'GET' ? new Promise(() => {}) : answered(message.id, { protocolVersion: '2025-11-25' }),
    )
    const { ask, shakeHands } = await listen(httpWire(at(url), options))
    await shakeHands()
    await ask(1, 'tools/list')
  })

  it('is not opened to a modern server', async () => {
    const { url, seen } = serve(({ message }) => answered(message.id))
    const { ask, wire } = await listen(statelessWire(at(url), options))
    wire.ready?.('2026-07-28')
    await ask(1, 'tools/list')
    expect(seen.map(({ method }) => method)).toEqual(['POST'])
    expect(seen[0]!.headers.get('mcp-protocol-version')).toBe('2026-07-28')
  })
})

describe('many at once', () => {
  it('answers beside 400 that hang, and after they hung up', async () => {
    let hanging = 0
    const { url } = serve(({ message }) => {
      if (message.method !== 'tools/call') return answered(message.id)
      hanging++
      return eventStream((say) => say(': patience\n\n'))
    })
    const { wire, ask } = await listen(statelessWire(at(url), options))
    for (let round = 0; round < 2; round++) {
      const callers = Array.from({ length: 400 }, () => new AbortController())
      for (const [i, { signal }] of callers.entries()) wire.send(called(i + 1), { id: i + 1, signal })
      await expect.poll(() => hanging).toBe(400 * (round + 1))
      await ask(1_000 + round, 'tools/list')
      for (const caller of callers) caller.abort()
    }
  })
})

const JSON_TYPE = { headers: { 'Content-Type': 'application/json' } }
const GZIP = { headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' } }

function pieces(text: string): ReadableStream {
  return new Response(text).body!.pipeThrough(new TransformStream())
}
