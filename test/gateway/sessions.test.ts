import { readdirSync } from 'node:fs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { removeMcp } from '../../src/core/mcps/edit.ts'
import { sessionsOf } from '../../src/gateway/sessions.ts'
import { BunAnswer } from '../../src/http/bun-answer.ts'
import type { Lease } from '../../src/upstreams/lease.ts'
import { carries } from '../../src/upstreams/processes.ts'
import { offering, olderClient, overStdio, said } from '../support/mcp.ts'
import { operator, start } from '../support/start.ts'
import { answered, serve, signalled } from '../upstreams/serving.ts'

const INTRODUCTION = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} }

async function oneSession() {
  const app = await start()
  const { key } = await app.key()
  return sessionsOf(
    () => {},
    () => 0,
  ).begin(key, null, INTRODUCTION)
}

function lease(isOpen: () => boolean, respond: (outcome: object) => void = () => {}): Lease {
  const connection = {
    call: () => Promise.reject(new Error('unused')),
    notify() {},
    respond: (_id: unknown, outcome: object) => respond(outcome),
    ready() {},
    inFlight: () => 0,
    close: async () => {},
  }
  const hello = { era: 'legacy' as const, protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {}, whole: {} }
  return { connection, hello, dedicated: true, line: 'a line', keyId: null, isOpen }
}

describe('a session', () => {
  it('forgets the connections that have ended', async () => {
    const session = await oneSession()
    let open = true
    const [first, second] = [lease(() => open), lease(() => true)]
    session.uses(first)
    session.uses(second)
    open = false
    expect(session.own()).toEqual([second])
  })

  it('refuses what a server asks while a hundred questions are open', async () => {
    const session = await oneSession()
    const refused: object[] = []
    const asking = lease(
      () => true,
      (outcome) => refused.push(outcome),
    )
    for (let id = 0; id <= 100; id++) session.ask(asking, { id, method: 'sampling/createMessage' }, null)
    expect(refused).toEqual([{ error: expect.objectContaining({ code: -32603 }) }])
  })

  it('keeps no more for a stream that never comes than a few megabytes', async () => {
    const app = await start()
    const { key } = await app.key()
    const sessions = sessionsOf(
      () => {},
      () => 0,
    )
    const session = sessions.begin(key, null, INTRODUCTION)
    const text = 'x'.repeat(1024 * 1024)
    for (let n = 0; n < 8; n++) session.hear({ method: 'notifications/message', params: { n, text } })
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, at) => new Promise((give) => session.openStream(new BunAnswer(request, at, give))),
    })
    const stream = await fetch(server.url)
    session.close()
    const told = [...(await stream.text()).matchAll(/"n":(\d)/g)].map(([, n]) => n)
    await server.stop()
    expect(told).toEqual(['5', '6', '7'])
  })

  it('ends when its client hangs up on the handshake', async () => {
    const [asked, left] = [signalled(), signalled()]
    const silent = serve((_, request) => {
      request.signal.addEventListener('abort', () => left.resolve())
      asked.resolve()
      return new Promise<Response>(() => {})
    })
    const app = await start()
    await offering(app, 'fix', { live: { kind: 'http', url: silent.url, headers: {} } })
    const { fullKey } = await app.key()
    const caller = new AbortController()
    const greeting = app.call('POST', '/mcp/fix', {
      key: fullKey,
      body: { jsonrpc: '2.0', id: 0, method: 'initialize', params: INTRODUCTION },
      signal: caller.signal,
    })
    await asked.promise
    caller.abort()
    await expect(greeting).rejects.toThrow()
    await left.promise
  })
})

describe('half an hour of idleness', () => {
  const HALF_HOUR = 31 * 60_000

  /** Whoever sweeps sleeps until the test says that a minute has passed. */
  function sweptByHand() {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    return () => vi.advanceTimersByTime(60_000)
  }

  it('begins when a stream breaks that was open for longer', async () => {
    const sweep = sweptByHand()
    const app = await start()
    const { key, fullKey } = await app.key()
    const client = await olderClient(app, '/mcp', fullKey)
    const stream = await client.listen()
    app.advance(HALF_HOUR)
    await stream.body!.cancel()
    const lastUsed = async () => {
      vi.advanceTimersByTime(250)
      return (await app.ctx.store.keys.byId(app.workspace.id, key.id))?.lastUsedAt
    }
    await expect.poll(lastUsed, { timeout: 10_000 }).toEqual(app.ctx.now())
    sweep()
    expect((await client.ask('ping')).status).toBe(200)
    app.advance(HALF_HOUR)
    sweep()
    expect((await client.ask('ping')).status).toBe(404)
  })

  it('begins with what needs no answer', async () => {
    const sweep = sweptByHand()
    const app = await start()
    const client = await olderClient(app, '/mcp', (await app.key()).fullKey)
    app.advance(HALF_HOUR / 2)
    await client.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    app.advance(HALF_HOUR / 2 + 1)
    sweep()
    expect((await client.ask('ping')).status).toBe(200)
  })

  it('begins when an answer comes that took longer', async () => {
    const sweep = sweptByHand()
    const [asked, goOn] = [signalled(), signalled()]
    const slow = serve(async ({ method, message: { id, method: wanted } }) => {
      if (method !== 'POST') return new Response(null, { status: 405 })
      if (id === undefined) return new Response(null, { status: 202 })
      if (wanted === 'initialize')
        return answered(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} })
      asked.resolve()
      await goOn.promise
      return answered(id, { content: [] })
    })
    const app = await start()
    await offering(app, 'fix', { live: { kind: 'http', url: slow.url, headers: {} } })
    const client = await olderClient(app, '/mcp/fix', (await app.key()).fullKey)
    const answer = client.ask('tools/call', { name: 'slow', arguments: {} })
    await asked.promise
    app.advance(HALF_HOUR)
    goOn.resolve()
    expect((await said(await answer)).result).toEqual({ content: [] })
    sweep()
    expect((await client.ask('ping')).status).toBe(200)
  })
})

it('leaves no child of an MCP that is removed', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key()
  const client = await olderClient(app, '/mcp/fix', fullKey, { elicitation: {} })
  const { result } = await said(await client.ask('tools/call', { name: 'env', arguments: {} }))
  const { MCP_CHILD } = (result!.structuredContent as { env: Record<string, string> }).env
  expect(carriers(MCP_CHILD!)).toHaveLength(1)
  const sleeping = client.ask('tools/call', { name: 'sleep', arguments: { ms: 60_000 } })
  await removeMcp(app.ctx, operator, app.workspace.id, 'fix')
  expect((await said(await sleeping)).error).toBeDefined()
  await expect.poll(() => carriers(MCP_CHILD!), { timeout: 10_000 }).toEqual([])
})

const carriers = (mark: string) =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && carries(Number(pid), `MCP_CHILD=${mark}`))
