import { expect, it } from 'vitest'
import { newFullKey } from '../../src/core/keys/format.ts'
import { disable } from '../../src/core/keys/lifecycle.ts'
import { olderClient } from '../support/mcp.ts'
import { operator, type Started, start } from '../support/start.ts'

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' }

const linesOf = async (app: Started) =>
  (await app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 200, cursor: null })).items

it('a request with a key that is refused as such leaves a line, and is no use of the key', async () => {
  const app = await start()
  const { key, fullKey } = await app.key({ ipAllow: ['192.0.2.1'] })
  const off = await app.key()
  await disable(app.ctx, operator, app.workspace.id, off.key.id)
  await app.call('POST', '/mcp/docs', { key: fullKey, body: PING })
  await app.call('GET', '/mcp', { key: off.fullKey })
  await app.call('POST', '/mcp', { key: newFullKey('clv', 'live').reveal(), body: PING })
  await expect.poll(() => linesOf(app), { timeout: 10_000 }).toHaveLength(2)
  expect(await linesOf(app)).toMatchObject([
    { keyId: off.key.id, mcp: null, method: 'GET', outcome: 'disabled_key', status: 401 },
    { keyId: key.id, mcp: 'docs', method: 'POST', outcome: 'ip_not_allowed', status: 403, ip: '127.0.0.1' },
  ])
  for (const { id } of [key, off.key])
    expect(await app.ctx.store.keys.byId(app.workspace.id, id)).toMatchObject({ lastUsedAt: null, requestCount: 0 })
})

it('a client that goes on and on with a key that is over leaves sixty lines a minute', async () => {
  const app = await start()
  const { key, fullKey } = await app.key()
  await disable(app.ctx, operator, app.workspace.id, key.id)
  const ask = () => app.call('POST', '/mcp', { key: fullKey, body: PING })
  for (let i = 0; i < 65; i++) expect((await ask()).status).toBe(401)
  app.advance(60_000)
  await ask()
  await expect.poll(async () => (await linesOf(app)).length, { timeout: 10_000 }).toBe(61)
})

it('a stream is a use of its key when it begins and when it ends', async () => {
  const app = await start()
  const { key, fullKey } = await app.key()
  const client = await olderClient(app, '/mcp', fullKey)
  const lastUsed = async () => (await app.ctx.store.keys.byId(app.workspace.id, key.id))?.lastUsedAt
  app.advance(3_600_000)
  const stream = await client.listen()
  await expect.poll(lastUsed, { timeout: 10_000 }).toEqual(app.ctx.now())
  app.advance(3_600_000)
  await stream.body!.cancel()
  await expect.poll(lastUsed, { timeout: 10_000 }).toEqual(app.ctx.now())
})
