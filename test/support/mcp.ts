import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { addMcp, type NewMcp } from '../../src/core/mcps/edit.ts'
import type { HttpTarget, StdioTarget } from '../../src/core/mcps/mcp.ts'
import { type FixtureOptions, startFixture } from '../fixtures/upstream/http.ts'
import { operator, type Started } from './start.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/upstream/main.ts')

/** The fixture as a child process; `--era legacy` and the like are passed on to it. */
export function overStdio(...args: string[]): StdioTarget {
  return { kind: 'stdio', command: process.execPath, args: [FIXTURE, '--stdio', ...args], env: {}, cwd: null }
}

/** The fixture in this process, gone with the test. */
export async function overHttp(
  options: FixtureOptions = {},
  headers: Record<string, string> = {},
): Promise<HttpTarget> {
  const fixture = await startFixture(options)
  onTestFinished(fixture.close)
  return { kind: 'http', url: fixture.url, headers }
}

export function offering(app: Started, slug: string, wanted: Partial<NewMcp>) {
  return addMcp(app.ctx, operator, app.workspace.id, { slug, ...wanted })
}

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
}

/** One message of 2026-07-28 with the headers that belong to it. */
export function modern(method: string, params: Record<string, unknown> = {}, id: unknown = 1) {
  const name = params.name ?? params.uri
  return {
    body: { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...ENVELOPE, ...(params._meta as object) } } },
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
    },
  }
}

export type Said = {
  jsonrpc: string
  id?: unknown
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { code: number; message: string; data?: Record<string, unknown> }
}

/** The last message of an answer, whichever way it came. */
export async function said(answer: Response): Promise<Said> {
  const text = await answer.text()
  if (!answer.headers.get('content-type')?.includes('event-stream')) return JSON.parse(text)
  return JSON.parse(
    text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .at(-1)!
      .slice('data: '.length),
  )
}

/** An older client by hand: the handshake, then messages in its session. */
export async function olderClient(app: Started, path: string, key: string, capabilities = {}) {
  const headers = { accept: 'application/json, text/event-stream' }
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'older', version: '1' } }
  const hello = await app.call('POST', path, {
    key,
    headers,
    body: { jsonrpc: '2.0', id: 0, method: 'initialize', params },
  })
  const session = hello.headers.get('mcp-session-id')!
  const own = { ...headers, 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }
  const send = (body: object, as = key, signal?: AbortSignal) =>
    app.call('POST', path, { key: as, headers: own, body, signal })
  await send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return {
    hello: await said(hello),
    session,
    send,
    ask: (method: string, params: object = {}, id: unknown = 1) => send({ jsonrpc: '2.0', id, method, params }),
    listen: (as = key) => app.call('GET', path, { key: as, headers: { ...own, accept: 'text/event-stream' } }),
    end: (as = key) => app.call('DELETE', path, { key: as, headers: own }),
  }
}
