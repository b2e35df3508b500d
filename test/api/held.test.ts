import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openContext } from '../../src/context.ts'
import { disable, edit, revoke } from '../../src/core/keys/lifecycle.ts'
import { folder } from '../cli/terminal.ts'
import { operator, type Started, start } from '../support/start.ts'

/** A request whose last byte is held back until `release`; the head of its answer. */
function held(app: Started, method: string, path: string, key: string, body: object) {
  const text = JSON.stringify(body)
  const { port } = new URL(app.origin)
  const socket = connect(Number(port), '127.0.0.1')
  const answer = new Promise<string>((resolve) => socket.on('data', (data) => resolve(data.toString())))
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${text.slice(0, -1)}`)
  return async () => {
    socket.write(text.slice(-1))
    const said = await answer
    socket.destroy()
    return said
  }
}

const INTRODUCTION = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
const GREETING = { jsonrpc: '2.0', id: 1, method: 'initialize', params: INTRODUCTION }

describe('a request that holds its body back until its key was changed', () => {
  it('issues nothing with a key that was revoked meanwhile', async () => {
    const app = await start()
    const { key, fullKey } = await app.key({ scopes: ['mcp:*', 'keys:write'] })
    const release = held(app, 'POST', '/api/v1/keys', fullKey, { name: 'late' })
    await app.get('/api/v1/whoami', fullKey) // by then the first one is under way
    await revoke(app.ctx, operator, app.workspace.id, key.id, null)
    expect(await release()).toContain('revoked_key')
    expect(await app.ctx.store.keys.named(app.workspace.id, 'late')).toEqual([])
  })

  it('cannot enable itself again', async () => {
    const app = await start()
    const { key, fullKey } = await app.key({ scopes: ['mcp:*', 'keys:write'] })
    const release = held(app, 'POST', `/api/v1/keys/${key.id}/enable`, fullKey, {})
    await app.get('/api/v1/whoami', fullKey)
    await disable(app.ctx, operator, app.workspace.id, key.id)
    expect(await release()).toContain('disabled_key')
  })

  it('cannot give itself back what was taken', async () => {
    const app = await start()
    const { key, fullKey } = await app.key({ scopes: ['mcp:*', 'keys:write'] })
    const release = held(app, 'PATCH', `/api/v1/keys/${key.id}`, fullKey, { scopes: ['mcp:*', 'keys:write'] })
    await app.get('/api/v1/whoami', fullKey)
    await edit(app.ctx, operator, app.workspace.id, key.id, { scopes: ['mcp:docs:search'] })
    expect(await release()).toContain('insufficient_scope')
  })

  it('begins no session on MCP', async () => {
    const app = await start()
    const { key, fullKey } = await app.key()
    const release = held(app, 'POST', '/mcp', fullKey, GREETING)
    await app.get('/api/v1/whoami', fullKey)
    await revoke(app.ctx, operator, app.workspace.id, key.id, null)
    expect(await release()).toContain('revoked_key')
    const lines = () => app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 10, cursor: null })
    await expect.poll(async () => (await lines()).items.map(({ outcome }) => outcome)).toEqual(['revoked_key'])
  })

  it('begins no session on MCP when it was revoked by another process', async () => {
    const dataDir = folder()
    const app = await start({ dataDir })
    const { ctx: elsewhere } = openContext(readConfig({ env: { CLAVIGER_DATA_DIR: dataDir } }).config, app.ctx.now)
    onTestFinished(() => elsewhere.store.close())
    const { key, fullKey } = await app.key()
    const release = held(app, 'POST', '/mcp', fullKey, GREETING)
    await app.get('/api/v1/whoami', fullKey)
    await revoke(elsewhere, operator, app.workspace.id, key.id, null)
    expect(await release()).toContain('revoked_key')
  })

  it('begins no session on MCP when it has expired', async () => {
    const app = await start()
    const { fullKey } = await app.key({ expiresAt: new Date('2026-06-01T12:01:00Z') })
    const release = held(app, 'POST', '/mcp', fullKey, GREETING)
    await app.get('/api/v1/whoami', fullKey)
    app.advance(60_000)
    expect(await release()).toContain('expired_key')
  })
})

it('names a bounded number of what is wrong', async () => {
  const app = await start()
  const { fullKey } = await app.key({ scopes: ['mcp:*', 'keys:write'] })
  const body = { name: 'x', ...Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`member${i}`, 1])) }
  const answer = (await (await app.post('/api/v1/keys', body, fullKey)).json()) as { errors: unknown[] }
  expect(answer.errors.length).toBeLessThanOrEqual(50)
})
