import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { newFullKey } from '../src/core/keys/format.ts'
import { importKey } from '../src/core/keys/importing.ts'
import { disable, removeKey, revoke } from '../src/core/keys/lifecycle.ts'
import { rotate } from '../src/core/keys/rotation.ts'
import type { NewKey } from '../src/core/keys/wishes.ts'
import { refused, terminal } from './cli/terminal.ts'
import { startFixture } from './fixtures/upstream/http.ts'
import { jsonOf } from './support/json.ts'
import { modern, offering, said } from './support/mcp.ts'
import { operator, type Started, start } from './support/start.ts'

const HOUR = 3_600_000
const ELSEWHERE = '203.0.113.9'

/** How a caller holds a key: what is sent, and what the address of the MCP is. */
type Held = { key: string; id?: string; as?: 'header' | 'url' | 'both'; mcp?: string; from?: string }
type Row = {
  state: string
  make(app: Started): Promise<Held>
  /** What the three surfaces that take keys say, `ok` when they do what was asked. */
  rest: string
  mcp: string
  terminal: string | RegExp
  /** What a person reads on the key's own page; null when there is none to read. */
  page: string | null
}

const alike = (code: string) => ({ rest: code, mcp: code, terminal: code })

const ROWS: Row[] = [
  { state: 'active', make: (app) => issued(app), ...alike('ok'), page: 'Active' },
  {
    state: 'scheduled',
    make: (app) => issued(app, { notBefore: new Date('2027-01-01') }),
    ...alike('not_yet_valid'),
    page: 'Scheduled',
  },
  {
    state: 'disabled',
    make: (app) => issued(app, {}, (id) => disable(app.ctx, operator, app.workspace.id, id)),
    ...alike('disabled_key'),
    page: 'Disabled',
  },
  {
    state: 'expired',
    make: (app) => issued(app, { expiresAt: later(app, HOUR) }),
    ...alike('expired_key'),
    page: 'Expired',
  },
  {
    state: 'revoked',
    make: (app) => issued(app, {}, (id) => revoke(app.ctx, operator, app.workspace.id, id, null)),
    ...alike('revoked_key'),
    page: 'Revoked',
  },
  {
    state: 'deleted',
    make: (app) => issued(app, {}, (id) => removeKey(app.ctx, operator, app.workspace.id, id, { confirmed: true })),
    ...alike('unknown_key'),
    page: null,
  },
  {
    state: 'wrong environment',
    make: async (app) => ({ ...(await issued(app, { environment: 'test' })), mcp: 'live-only' }),
    rest: 'ok', // of nothing that has an environment
    mcp: 'wrong_environment',
    terminal: 'ok',
    page: 'Active',
  },
  {
    state: 'wrong address',
    make: async (app) => ({ ...(await issued(app, { ipAllow: [ELSEWHERE] })), from: '198.51.100.7' }),
    ...alike('ip_not_allowed'),
    page: 'Active',
  },
  {
    state: 'URL not allowed',
    make: async (app) => ({ ...(await issued(app)), as: 'url' }),
    rest: 'missing_key', // no URL of REST is read for keys at all
    mcp: 'url_key_not_allowed',
    terminal: 'ok',
    page: 'Active',
  },
  {
    state: 'URL allowed',
    make: async (app) => ({ ...(await issued(app, { allowInUrl: true })), as: 'url' }),
    rest: 'missing_key',
    mcp: 'ok',
    terminal: 'ok',
    page: 'Active',
  },
  {
    state: 'malformed',
    make: async (app) => ({ key: (await issued(app)).key.slice(0, -1) }),
    ...alike('malformed_key'),
    page: null,
  },
  {
    state: 'unknown',
    make: async (app) => ({ key: foreign(app) }),
    ...alike('unknown_key'),
    page: null,
  },
  {
    state: 'imported',
    make: (app) => imported(app, 'tp_1fE9sW2kQ8'),
    ...alike('ok'),
    page: 'Active',
  },
  {
    state: 'imported and deleted',
    make: (app) =>
      imported(app, 'pmcp_01a8f0c5e2b34d56', (id) =>
        removeKey(app.ctx, operator, app.workspace.id, id, { confirmed: true }),
      ),
    ...alike('unknown_key'),
    page: null,
  },
  {
    state: 'two credentials',
    make: async (app) => ({ ...(await issued(app)), as: 'both' }),
    rest: 'multiple_credentials',
    mcp: 'multiple_credentials',
    terminal: /several lines/,
    page: 'Active',
  },
  {
    state: 'overlap, old secret',
    make: (app) => rotated(app, 2 * HOUR, 'old'),
    ...alike('ok'),
    page: 'Active',
  },
  {
    state: 'overlap, new secret',
    make: (app) => rotated(app, 2 * HOUR, 'new'),
    ...alike('ok'),
    page: 'Active',
  },
  {
    state: 'overlap over, old secret',
    make: (app) => rotated(app, HOUR, 'old'),
    ...alike('revoked_key'),
    page: 'Active',
  },
  {
    state: 'overlap over, new secret',
    make: (app) => rotated(app, HOUR, 'new'),
    ...alike('ok'),
    page: 'Active',
  },
]

const folder = mkdtempSync(join(tmpdir(), 'claviger-states-'))
const shell = terminal({ dataDir: join(folder, 'data') })
let app: Started
let cookie: string
const held = new Map<string, Held>()

beforeAll(async () => {
  app = await start({ dataDir: shell.dataDir, shared: true, env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.0/8' } })
  const fixture = await startFixture()
  const target = { kind: 'http' as const, url: fixture.url, headers: {} }
  await offering(app, 'both', { live: target, test: target })
  await offering(app, 'live-only', { live: target, test: null })
  cookie = (await app.person('owner')).cookie
  for (const { state, make } of ROWS) held.set(state, await make(app))
  app.advance(HOUR)
  shell.advance(HOUR)
  return async () => {
    await app.close()
    await fixture.close()
    rmSync(folder, { recursive: true })
  }
})

type Sent = NonNullable<Parameters<Started['call']>[2]>

/** As the row holds its key: in a header, in the URL or in both, and from where. */
function ask({ key, as = 'header', from = ELSEWHERE }: Held, method: string, path: string, sent: Sent = {}) {
  const url = as === 'header' ? path : `${path}?api_key=${key}`
  const headers = { accept: 'application/json, text/event-stream', 'x-forwarded-for': from, ...sent.headers }
  return app.call(method, url, { ...sent, headers, key: as === 'url' ? undefined : key })
}

const echo = { name: 'echo', arguments: { text: 'hi' } }
const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'older', version: '1' } }
const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: hello }

/** Each way into MCP; the last two may not even be known to who has no good key. */
const MCP: Record<string, (of: Held, slug: string) => Promise<Response>> = {
  'a call at /mcp/{slug}': (of, slug) => ask(of, 'POST', `/mcp/${slug}`, modern('tools/call', echo)),
  'a call at /mcp': (of, slug) => ask(of, 'POST', '/mcp', modern('tools/call', { ...echo, name: `${slug}__echo` })),
  'a simple call': (of, slug) =>
    ask(of, 'POST', '/mcp', { body: { mcp_id: slug, tool: 'echo', arguments: { text: 'hi' } } }),
  'an older handshake': (of, slug) => ask(of, 'POST', `/mcp/${slug}`, { body: initialize }),
}
const STREAMS: Record<string, (of: Held, slug: string) => Promise<Response>> = {
  'a stream': (of, slug) => ask(of, 'GET', `/mcp/${slug}`, { headers: { 'mcp-session-id': 'any' } }),
  'the end of a session': (of, slug) => ask(of, 'DELETE', `/mcp/${slug}`, { headers: { 'mcp-session-id': 'any' } }),
}

const STATUS: Record<string, number> = {
  multiple_credentials: 400,
  ip_not_allowed: 403,
  url_key_not_allowed: 403,
}
const RPC: Record<number, number> = { 400: -32600, 401: -32040, 403: -32043 }
const statusOf = (code: string) => STATUS[code] ?? 401
/** What concerns one message and not the key. */
const ofMessage = (code: string) => code === 'wrong_environment'

describe.each(ROWS)('a key: $state', ({ state, rest, mcp, terminal: typed, page }) => {
  it(`is ${rest} on REST`, async () => {
    const answer = await ask(held.get(state)!, 'GET', '/api/v1/whoami')
    const body = await jsonOf(answer)
    if (rest === 'ok') return expect(answer.status).toBe(200)
    expect(body).toMatchObject({ code: rest, status: answer.status, request_id: answer.headers.get('x-request-id') })
    expect(answer.status).toBe(statusOf(rest))
    expect(answer.headers.has('www-authenticate')).toBe(answer.status === 401)
  })

  it.each(Object.entries(MCP))(`is ${mcp} on MCP: %s`, async (way, send) => {
    const of = held.get(state)!
    const answer = await send(of, of.mcp ?? 'both')
    const simple = way === 'a simple call'
    const message = simple ? await jsonOf(answer) : await said(answer)
    if (mcp === 'ok') return expect([answer.status, message.result !== undefined]).toEqual([200, true])
    const code = simple ? message.code : message.error?.data?.code
    expect(code).toBe(mcp)
    const status = ofMessage(mcp) ? (simple ? 403 : 200) : statusOf(mcp)
    expect(answer.status).toBe(status)
    if (!simple) expect(message.error.code).toBe(RPC[ofMessage(mcp) ? 403 : status])
    expect(answer.headers.has('www-authenticate')).toBe(status === 401)
    if (of.as) expect(answer.headers.get('cache-control')).toBe('no-store, private')
  })

  it.each(Object.entries(STREAMS))(`is ${mcp} on MCP: %s`, async (_way, send) => {
    const of = held.get(state)!
    const answer = await send(of, of.mcp ?? 'both')
    const { error } = await said(answer)
    if (mcp === 'ok' || ofMessage(mcp)) return expect([answer.status, error?.code]).toEqual([404, -32001])
    expect([answer.status, error?.data?.code]).toEqual([statusOf(mcp), mcp])
  })

  it(`is ${typed} on the command line`, async () => {
    const of = held.get(state)!
    const stdin = of.as === 'both' ? `${of.key}\n${of.key}\n` : of.key
    const verdict = await shell.type(['keys', 'verify', '--ip', of.from ?? ELSEWHERE], { stdin })
    if (typeof typed !== 'string') return expect(verdict).toEqual(refused(2, typed))
    const good = typed === 'ok'
    expect(verdict).toMatchObject({ code: good ? 0 : 1, out: good ? 'valid\n' : `${typed}\n` })
    expect(verdict.err.includes(of.key)).toBe(false)
  })

  it('is told on its own page, without its secret', async () => {
    const of = held.get(state)!
    if (!of.id) return expect(page).toBeNull()
    const own = await app.call('GET', `/admin/w/main/keys/${of.id}`, { cookie })
    expect(own.status).toBe(page === null ? 404 : 200)
    const html = await own.text()
    expect(html).not.toContain(of.key.slice(-42))
    if (page !== null) expect(badgesIn(html)).toContain(page)
  })
})

it('opens no page, however good it is', async () => {
  const answer = await ask(held.get('active')!, 'GET', '/admin/w/main/keys')
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Session realm="claviger"'])
})

function badgesIn(html: string): string[] {
  return [...html.matchAll(/<span class="badge[^>]*>([\s\S]*?)<\/span>/g)].map(([, text]) =>
    text!.replace(/<[^>]*>/g, '').trim(),
  )
}

async function issued(app: Started, wanted: Partial<NewKey> = {}, then?: (id: string) => Promise<unknown>) {
  const { key, fullKey } = await app.key(wanted)
  await then?.(key.id)
  return { key: fullKey, id: key.id }
}

/** A key that another system made. */
async function imported(app: Started, key: string, then?: (id: string) => Promise<unknown>): Promise<Held> {
  const { id } = await importKey(app.ctx, operator, app.workspace.id, { name: 'moved', sha256: hash('sha256', key) })
  await then?.(id)
  return { key, id }
}

/** One of the two secrets of a key that was rotated with an overlap of so long. */
async function rotated(app: Started, overlapMs: number, which: 'old' | 'new'): Promise<Held> {
  const { key, fullKey: old } = await app.key()
  const { fullKey } = await rotate(app.ctx, operator, app.workspace.id, key.id, overlapMs / 1000)
  return { id: key.id, key: which === 'old' ? old : fullKey.reveal() }
}

/** A key in good shape that this server never issued. */
function foreign(app: Started): string {
  return newFullKey(app.ctx.brand, 'live').reveal()
}

function later(app: Started, ms: number): Date {
  return new Date(app.ctx.now().getTime() + ms)
}
