import { expect, it } from 'vitest'
import { addressGuard } from '../../src/upstreams/guard.ts'
import { oldSseWire } from '../../src/upstreams/old-sse.ts'
import { askOnTheHeels, listen } from './listening.ts'
import { eventStream, result, type Seen, serve, signalled } from './serving.ts'

const options = { environment: {}, guard: addressGuard({ allowPrivate: true }) }
const at = (url: string) => ({ kind: 'http' as const, url, headers: { Authorization: 'Bearer x' } })
const DEAF = { message() {}, failed() {}, closed() {} }

/** HTTP+SSE of 2024-11-05: answers come on the stream, a POST is but accepted. */
function oldServer({
  endpoint = '/messages?session=7',
  dies = false,
  hears = (_: Seen['message']): unknown => undefined,
} = {}) {
  let say: (text: string) => void = () => {}
  let end: () => void = () => {}
  return serve(async ({ method, message }) => {
    if (method === 'GET')
      return eventStream((write, close) => {
        say = write
        end = close
        say(`event: endpoint\ndata: ${endpoint}\n\n`)
      })
    await hears(message)
    if (message.method === 'refuse') return new Response('no', { status: 400 })
    if (dies) end()
    else if (message.id !== undefined) say(`event: message\ndata: ${JSON.stringify(result(message.id))}\n\n`)
    return new Response('Accepted', { status: 202 })
  })
}

it('posts where the stream says and hears the answers on it', async () => {
  const { url, seen } = oldServer()
  const { ask } = await listen(oldSseWire(at(url), options))
  expect(await ask(1, 'initialize')).toEqual(result(1))
  expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /mcp', 'POST /messages'])
  expect(seen[1]!.headers.get('authorization')).toBe('Bearer x')
})

it('holds requests back until the greeting was heard', async () => {
  const greeted = signalled()
  const { url, seen } = oldServer({ hears: ({ method }) => method === 'notifications/initialized' && greeted.promise })
  await askOnTheHeels(await listen(oldSseWire(at(url), options)), greeted.resolve)
  const methods = seen.map(({ message }) => message.method)
  expect(methods).toEqual([undefined, 'initialize', 'notifications/initialized', 'tools/list', 'ping'])
})

it('closes when the stream ends', async () => {
  const { url } = oldServer({ dies: true })
  const { wire, closed, fails } = await listen(oldSseWire(at(url), options))
  wire.send('{"jsonrpc":"2.0","id":1,"method":"x"}', { id: 1 })
  expect(await closed()).toMatchObject({ stage: 'session', unsent: false })
  wire.send('{"jsonrpc":"2.0","id":2,"method":"x"}', { id: 2 })
  expect(await fails(2)).toMatchObject({ unsent: true })
})

it('fails a request whose POST is refused', async () => {
  const { url } = oldServer()
  const { wire, fails } = await listen(oldSseWire(at(url), options))
  wire.send('{"jsonrpc":"2.0","id":1,"method":"refuse"}', { id: 1 })
  expect((await fails(1)).message).toMatch(/status 400/)
})

it.each(['https://evil.example/messages', '//evil.example/messages', 'http://169.254.169.254/', 'javascript:x'])(
  'does not post to %s',
  async (endpoint) => {
    const { url } = oldServer({ endpoint })
    await expect(listen(oldSseWire(at(url), options))).rejects.toThrow(/offers no stream/)
  },
)

it('says so when there is no such stream', async () => {
  const { url } = serve(() => new Response('no', { status: 405 }))
  await expect(listen(oldSseWire(at(url), options))).rejects.toMatchObject({
    failure: { stage: 'handshake', message: expect.stringMatching(/offers no stream/) },
  })
})

it('ends the stream when it is closed', async () => {
  const { promise: left, resolve } = Promise.withResolvers<void>()
  const { url } = serve((_, request) => {
    request.signal.addEventListener('abort', () => resolve())
    return eventStream((say) => say('event: endpoint\ndata: /messages\n\n'))
  })
  const { wire } = await listen(oldSseWire(at(url), options))
  await wire.close()
  await left
})

it('waits for the head of a stream no longer than for its first event', async () => {
  const { url } = serve(() => new Promise<Response>(() => {}))
  await expect(oldSseWire(at(url), { ...options, endpointMs: 50 })(DEAF)).rejects.toThrow(/offers no stream/)
})

it('is given up while it is being opened', async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const { url } = serve(() => {
    resolve()
    return new Promise<Response>(() => {})
  })
  const stop = new AbortController()
  const opening = oldSseWire(at(url), options)(DEAF, stop.signal)
  await asked
  stop.abort()
  await expect(opening).rejects.toThrow(/offers no stream/)
})
