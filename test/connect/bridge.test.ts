import { join } from 'node:path'
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { CreateMessageRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { revoke } from '../../src/core/keys/lifecycle.ts'
import { offering, overHttp } from '../support/mcp.ts'
import { command, finished, launch } from '../support/process.ts'
import { operator, type Started, start } from '../support/start.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const INFO = { name: 'over-stdio', version: '1.2.3' }
const PATIENCE = { timeout: 30_000 }

async function world() {
  const app = await start()
  await offering(app, 'fix', { live: await overHttp() })
  const { key, fullKey } = await app.key()
  return { app, key, fullKey, url: `${app.origin}/mcp/fix` }
}

function started(url: string, key: string) {
  const { PATH = '', HOME = '' } = process.env
  const args = ['--no-env-file', MAIN, 'bridge', url]
  return { command: process.execPath, args, env: { PATH, HOME, CLAVIGER_KEY: key }, stderr: 'pipe' as const }
}

async function v1(url: string, key: string, capabilities = {}): Promise<ClientV1> {
  const client = new ClientV1(INFO, { capabilities })
  await client.connect(new StdioV1(started(url, key)))
  onTestFinished(() => client.close())
  return client
}

async function v2(url: string, key: string, mode: 'auto' | 'legacy'): Promise<ClientV2> {
  const client = new ClientV2(INFO, { versionNegotiation: { mode } })
  await client.connect(new StdioV2(started(url, key)))
  onTestFinished(() => client.close())
  return client
}

const lastClient = async ({ ctx, workspace }: Started, id: string) =>
  (await ctx.store.keys.byId(workspace.id, id))?.lastUsedClient

describe('claviger bridge', PATIENCE, () => {
  it('serves a client of the older protocol', async () => {
    const { app, url, fullKey, key } = await world()
    const client = await v1(url, fullKey)
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
    const said = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    expect(JSON.stringify(said.content)).toContain('hello')
    await expect.poll(() => lastClient(app, key.id), { timeout: 10_000 }).toBe('over-stdio 1.2.3')
  })

  it.each([
    ['auto', 'modern'],
    ['legacy', 'legacy'],
  ] as const)('serves the newest SDK in its mode %s', async (mode, era) => {
    const { url, fullKey } = await world()
    const client = await v2(url, fullKey, mode)
    expect(client.getProtocolEra()).toBe(era)
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
    const said = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    expect(JSON.stringify(said.content)).toContain('hello')
  })

  it.each(['auto', 'legacy'] as const)('carries large messages and progress, mode %s', async (mode) => {
    const { url, fullKey } = await world()
    const client = await v2(url, fullKey, mode)
    const text = 'é🔑"\n'.repeat(400_000)
    const said = await client.callTool({ name: 'echo', arguments: { text } })
    expect((said.content as { text: string }[])[0]!.text).toBe(text)
    const seen: number[] = []
    await client.callTool(
      { name: 'test_tool_with_progress' },
      { onprogress: ({ progress }) => void seen.push(progress) },
    )
    expect(seen).toEqual([0, 50, 100])
  })

  it.each(['auto', 'legacy'] as const)('cancels what the client gives up, mode %s', async (mode) => {
    const { app, url, fullKey } = await world()
    const client = await v2(url, fullKey, mode)
    const stop = new AbortController()
    const call = client.callTool({ name: 'sleep', arguments: { ms: 60_000 } }, { signal: stop.signal })
    const outcomes = async () => {
      const { items } = await app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 9, cursor: null })
      return items.map(({ method, outcome }) => `${method} ${outcome}`)
    }
    await client.listTools() // on the same connection, and after it
    stop.abort()
    await expect(call).rejects.toThrow()
    await expect.poll(outcomes, { timeout: 10_000 }).toContain('tools/call cancelled')
  })

  it('repeats in headers the arguments that a tool wants there', async () => {
    const { url, fullKey } = await world()
    const client = await v2(url, fullKey, 'auto')
    await client.listTools()
    const said = await client.callTool({ name: 'test_x_mcp_header', arguments: { region: 'Zürich' } })
    expect(said.isError ?? false).toBe(false)
  })

  it('lets the server ask the client, and tell it unasked', async () => {
    const { url, fullKey } = await world()
    const client = await v1(url, fullKey, { sampling: {} })
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      model: 'm',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'from the client' },
    }))
    const changed = new Promise<void>((resolve) =>
      client.setNotificationHandler(ToolListChangedNotificationSchema, async () => resolve()),
    )
    const said = await client.callTool({ name: 'test_sampling', arguments: { prompt: 'x' } })
    expect(JSON.stringify(said.content)).toContain('from the client')
    await client.callTool({ name: 'test_trigger_tool_change' })
    await changed
  })

  it.each([401, 403, 429])('listens again after it was refused for a while with %s', async (status) => {
    const { url, fullKey } = await world()
    let refused = 0
    const proxy = passingOn(url, (_headers, method) => {
      if (method === 'GET' && refused++ < 2) return new Response(null, { status })
    })
    const client = await v1(proxy.url, fullKey)
    let changes = 0
    client.setNotificationHandler(ToolListChangedNotificationSchema, async () => void changes++)
    const changed = async () => {
      await client.callTool({ name: 'test_trigger_tool_change' })
      return changes
    }
    await expect.poll(changed, { timeout: 10_000, interval: 250 }).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(2)
  })

  it('says why the key is refused, to the client and on standard error', async () => {
    const { app, url, fullKey, key } = await world()
    const client = await v1(url, fullKey)
    await revoke(app.ctx, operator, app.workspace.id, key.id, null)
    await expect(client.listTools()).rejects.toThrow(/revoked/)
    const transport = new StdioV1(started(url, fullKey))
    let err = ''
    transport.stderr?.on('data', (chunk: Buffer) => {
      err += chunk
    })
    await expect(new ClientV1(INFO).connect(transport)).rejects.toThrow(/revoked/)
    await expect.poll(() => err, { timeout: 10_000 }).toContain('This key was revoked.')
    expect(err).not.toContain(fullKey)
  })
})

describe('claviger bridge as a process', PATIENCE, () => {
  const bridge = (url: string, env: Record<string, string>) => launch('/nowhere', ['bridge', url], env)
  const ask = (id: unknown, method: string, params: object = {}) =>
    `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`
  const hello = ask('one', 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: INFO })

  it('prints nothing but answers, and ends with its input', async () => {
    const { url, fullKey } = await world()
    const process = bridge(url, { CLAVIGER_KEY: ` ${fullKey}\n` })
    process.stdin.write(`${hello}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\nnot json\n${ask(2, 'ping')}`)
    process.stdin.end()
    const [out, err, code] = await Promise.all([process.stdout.text(), process.stderr.text(), process.exited])
    expect([code, err]).toEqual([0, ''])
    const answers = linesIn(out)
    expect(answers.map(({ id }) => id).sort()).toEqual([2, 'one', null].sort())
    expect(answers.find(({ id }) => id === null).error.code).toBe(-32700)
  })

  const begun = `${hello}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n`
  const call = (id: unknown, name: string, args: object) => ask(id, 'tools/call', { name, arguments: args })

  it('answers a batch, and what is too long, by their ids', async () => {
    const { url, fullKey } = await world()
    const process = bridge(url, { CLAVIGER_KEY: fullKey })
    const batch = [{ id: 7, method: 'ping' }, { method: 'notifications/x' }, { id: 'b', method: 'ping' }]
    const long = { jsonrpc: '2.0', id: 'long', method: 'tools/call', params: { text: 'x'.repeat(64 * 1024 * 1024) } }
    process.stdin.write(`${JSON.stringify(batch)}\n${JSON.stringify(long)}\n`)
    process.stdin.end()
    const { code, out } = await finished(process)
    expect(code).toBe(0)
    expect(linesIn(out).map(({ id, error }) => [id, error.code])).toEqual([
      [7, -32600],
      ['b', -32600],
      ['long', -32600],
    ])
  })

  it('answers what is under way when its input ends', async () => {
    const { url, fullKey } = await world()
    const process = bridge(url, { CLAVIGER_KEY: fullKey })
    process.stdin.write(begun + call(2, 'sleep', { ms: 1500 }))
    process.stdin.end()
    const { code, out, err } = await finished(process)
    expect([code, err]).toEqual([0, ''])
    expect(linesIn(out).find(({ id }) => id === 2)).toHaveProperty('result')
  })

  it('says what is left without an answer when it is stopped', async () => {
    const { app, url, fullKey } = await world()
    const process = bridge(url, { CLAVIGER_KEY: fullKey })
    process.stdin.write(begun + call(2, 'sleep', { ms: 60_000 }))
    process.stdin.flush()
    await expect.poll(() => app.logs.join(''), { timeout: 10_000 }).toContain('"status":202')
    process.kill('SIGTERM')
    const { code, out, err } = await finished(process)
    expect([code, err]).toEqual([1, expect.stringContaining('ended before this was answered')])
    expect(linesIn(out).find(({ id }) => id === 2)).toMatchObject({ error: { data: { code: 'shutting_down' } } })
  })

  it('goes on in a new session when the server has forgotten the old one', async () => {
    const { url, fullKey } = await world()
    let forgotten: string | null = null
    let latest: string | null = null
    const proxy = passingOn(url, (headers) => {
      const session = headers.get('mcp-session-id')
      if (session !== null && session === forgotten) headers.set('mcp-session-id', 'nobody')
      else latest = session ?? latest
    })
    const client = await v1(proxy.url, fullKey)
    await client.callTool({ name: 'echo', arguments: { text: 'before' } })
    forgotten = latest
    expect(forgotten).toBeTypeOf('string')
    const [one, two] = await Promise.all(
      ['after', 'as well'].map((text) => client.callTool({ name: 'echo', arguments: { text } })),
    )
    expect(JSON.stringify([one!.content, two!.content])).toMatch(/after.*as well/)
    expect(latest).not.toBe(forgotten)
  })

  it.each([
    ['429', () => Response.json(TOO_MANY, { status: 429 }), 'Too many requests.'],
    ['502', () => new Response('bad gateway', { status: 502 }), 'HTTP status 502'],
    ['half an answer', () => new Response(cutShort(), { status: 502 }), 'The connection to'],
  ])('says why a new session is not had (%s), and has one for the next call', async (_why, instead, said) => {
    const { url, fullKey } = await world()
    let forgotten: string | null = null
    let latest: string | null = null
    let refusing = false
    const proxy = passingOn(url, (headers, _method, body) => {
      const session = headers.get('mcp-session-id')
      if (session !== null && session === forgotten) headers.set('mcp-session-id', 'nobody')
      else latest = session ?? latest
      if (refusing && body.includes('"initialize"')) return instead()
    })
    const client = await v1(proxy.url, fullKey)
    await client.callTool({ name: 'echo', arguments: { text: 'before' } })
    forgotten = latest
    refusing = true
    const call = (text: string) => client.callTool({ name: 'echo', arguments: { text } })
    const [one, two] = await Promise.allSettled([call('one'), call('two')])
    for (const { status, reason } of [one, two] as PromiseRejectedResult[])
      expect([status, String(reason)]).toEqual(['rejected', expect.stringContaining(said)])
    refusing = false
    expect(JSON.stringify((await call('after')).content)).toContain('after')
    expect(latest).not.toBe(forgotten)
  })

  it('waits for a server that is not there yet', async () => {
    const { url, fullKey } = await world()
    const taken = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const port = taken.port!
    await taken.stop(true)
    const process = bridge(`http://127.0.0.1:${port}/mcp`, { CLAVIGER_KEY: fullKey })
    process.stdin.write(hello)
    process.stdin.flush()
    passingOn(url, () => {}, port)
    const reader = process.stdout.getReader()
    const { value } = await reader.read()
    expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({
      id: 'one',
      result: { protocolVersion: '2025-11-25' },
    })
    process.stdin.end()
    expect(await process.exited).toBe(0)
  })

  it('wants the key in its variable and a URL without one', async () => {
    expect(await command('/nowhere', 'bridge', 'http://127.0.0.1:9/mcp')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('CLAVIGER_KEY'),
    })
    for (const url of ['ftp://x', 'nonsense']) expect((await command('/nowhere', 'bridge', url)).code).toBe(2)
    for (const part of [
      '?api_key=x',
      '?key=clv_live_abc',
      '?a=1&access_token=x',
      '?api%5Fkey=x',
      `/${'clv_live_'.padEnd(57, 'a')}`,
    ]) {
      const said = await command('/nowhere', 'bridge', `http://127.0.0.1:9/mcp${part}`)
      expect([part, said.code, said.err]).toEqual([part, 2, expect.stringContaining('Leave the key out of the URL')])
    }
  })
})

function linesIn(out: string) {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

type Bend = (headers: Headers, method: string, body: string) => Response | void

const TOO_MANY = { jsonrpc: '2.0', id: 'one', error: { code: -32029, message: 'Too many requests.' } }

function cutShort(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (body) => body.enqueue(new TextEncoder().encode('{')),
    pull: (body) => body.error(new Error('cut short')),
  })
}

/** A Claviger at another address: a test may bend requests on their way to it, or answer in its place. */
function passingOn(url: string, bend: Bend, port = 0): { url: string } {
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const headers = new Headers(request.headers)
      headers.set('host', new URL(url).host)
      const { method, signal } = request
      const body = await request.text()
      return bend(headers, method, body) ?? fetch(url, { method, headers, signal, body: body || undefined })
    },
  })
  onTestFinished(() => server.stop(true))
  return { url: `${server.url.origin}/mcp` }
}
