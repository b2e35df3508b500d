import { expect, it } from 'vitest'
import { edit, revoke } from '../../src/core/keys/lifecycle.ts'
import { offering } from '../support/mcp.ts'
import { operator, type Started, start } from '../support/start.ts'
import { answered, serve, signalled } from '../upstreams/serving.ts'

/** A simple call that has reached a tool, which never answers. */
async function underWay() {
  const asked = signalled()
  const silent = serve(({ method, message: { id, method: wanted } }) => {
    if (method !== 'POST') return new Response(null, { status: 405 })
    if (id === undefined) return new Response(null, { status: 202 })
    if (wanted === 'server/discover') return Response.json({ jsonrpc: '2.0', id, error: { code: -32601, message: '' } })
    if (wanted === 'initialize')
      return answered(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} })
    asked.resolve()
    return new Promise<Response>(() => {})
  })
  const app = await start()
  await offering(app, 'fix', { live: { kind: 'http', url: silent.url, headers: {} } })
  const { key, fullKey } = await app.key()
  const caller = new AbortController()
  const body = { mcp_id: 'fix', tool: 'slow' }
  const call = app.call('POST', '/mcp', { key: fullKey, body, signal: caller.signal })
  await asked.promise
  return { app, key, call, hangUp: () => caller.abort() }
}

const linesOf = async (app: Started) =>
  (await app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 9, cursor: null })).items

const noted = (app: Started) => expect.poll(() => linesOf(app), { timeout: 10_000 })

it('is noted as cancelled when its caller hangs up, and as no mistake of ours', async () => {
  const { app, call, hangUp } = await underWay()
  hangUp()
  await expect(call).rejects.toThrow()
  await noted(app).toMatchObject([{ tool: 'slow', outcome: 'cancelled', status: 200 }])
  expect(app.logs.join('')).not.toContain('Unexpected error')
})

it('answers with what became of its key', async () => {
  const { app, key, call } = await underWay()
  await revoke(app.ctx, operator, app.workspace.id, key.id, null)
  const answer = await call
  expect([answer.status, await answer.json()]).toMatchObject([401, { code: 'revoked_key' }])
  await noted(app).toMatchObject([{ tool: 'slow', outcome: 'cancelled', status: 401 }])
})

it('is given up when its key may do something else now, and says so', async () => {
  const { app, key, call } = await underWay()
  await edit(app.ctx, operator, app.workspace.id, key.id, { scopes: ['mcp:fix:other'] })
  const answer = await call
  expect([answer.status, await answer.json()]).toMatchObject([409, { code: 'conflict' }])
  expect(app.logs.join('')).not.toContain('Unexpected error')
})
