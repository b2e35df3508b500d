import { expect, it } from 'vitest'
import { edit } from '../../src/core/keys/lifecycle.ts'
import { modern, offering, olderClient, said } from '../support/mcp.ts'
import { operator, start } from '../support/start.ts'
import { answered, serve } from '../upstreams/serving.ts'

/** A server that makes a task of each call and tells everybody of all: to it we are one client. */
function taskServer() {
  const tasks: string[] = []
  return serve(({ method, message }) => {
    const { id, method: asked } = message
    const { taskId } = (message as { params?: { taskId?: string } }).params ?? {}
    if (method !== 'POST') return new Response(null, { status: 405 })
    if (id === undefined) return new Response(null, { status: 202 })
    if (asked === 'server/discover') return Response.json({ jsonrpc: '2.0', id, error: { code: -32601, message: '' } })
    if (asked === 'initialize')
      return answered(id, { protocolVersion: '2025-11-25', capabilities: { tools: {}, tasks: {} }, serverInfo: {} })
    if (asked === 'tools/call')
      return answered(id, { task: { taskId: `task-${tasks.push('') - 1}`, status: 'working' } })
    if (asked === 'tasks/list') return answered(id, { tasks: tasks.map((_, n) => ({ taskId: `task-${n}` })) })
    return answered(id, { taskId, status: 'completed' })
  })
}

it('keeps each key to the tasks that it began', async () => {
  const app = await start()
  await offering(app, 'fix', { live: { kind: 'http', url: taskServer().url, headers: {} }, isolation: 'shared' })
  const clients = [
    await olderClient(app, '/mcp/fix', (await app.key()).fullKey),
    await olderClient(app, '/mcp/fix', (await app.key()).fullKey),
  ] as const
  for (const client of clients)
    await (await client.ask('tools/call', { name: 'slow', arguments: {}, task: { ttl: 60_000 } })).text()
  for (const [n, client] of clients.entries()) {
    expect((await said(await client.ask('tasks/list'))).result).toEqual({ tasks: [{ taskId: `task-${n}` }] })
    const get = async (method: string, taskId: string) => said(await client.ask(method, { taskId }))
    expect((await get('tasks/get', `task-${n}`)).result).toMatchObject({ taskId: `task-${n}` })
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/update'])
      expect((await get(method, `task-${1 - n}`)).error).toMatchObject({ code: -32602 })
    expect((await get('tasks/get', 'task-99')).error).toEqual((await get('tasks/get', `task-${1 - n}`)).error)
  }
})

it('gives a key that may call one tool the tasks of that tool, as long as it may', async () => {
  const app = await start()
  await offering(app, 'fix', { live: { kind: 'http', url: taskServer().url, headers: {} }, isolation: 'shared' })
  const { key, fullKey } = await app.key({ scopes: ['mcp:fix:slow', 'mcp:fix:other'] })
  const client = await olderClient(app, '/mcp/fix', fullKey)
  for (const name of ['slow', 'other'])
    await (await client.ask('tools/call', { name, arguments: {}, task: { ttl: 60_000 } })).text()
  const ask = async (method: string, params: object = {}) => said(await client.ask(method, params))
  expect((await ask('tasks/result', { taskId: 'task-0' })).result).toMatchObject({ status: 'completed' })
  expect((await ask('tasks/list')).result).toEqual({ tasks: [{ taskId: 'task-0' }, { taskId: 'task-1' }] })
  await edit(app.ctx, operator, app.workspace.id, key.id, { scopes: ['mcp:fix:other'] })
  const again = await olderClient(app, '/mcp/fix', fullKey)
  expect((await said(await again.ask('tasks/result', { taskId: 'task-0' }))).error).toMatchObject({ code: -32602 })
  expect((await said(await again.ask('tasks/list'))).result).toEqual({ tasks: [{ taskId: 'task-1' }] })
})

it('knows the tasks that a server makes for a client of the extension', async () => {
  const app = await start()
  await offering(app, 'fix', { live: { kind: 'http', url: taskServer().url, headers: {} }, isolation: 'shared' })
  const { fullKey } = await app.key()
  const ask = async (method: string, params: object) =>
    said(await app.call('POST', '/mcp/fix', { key: fullKey, ...modern(method, params as Record<string, unknown>) }))
  const _meta = {
    'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
  }
  expect((await ask('tools/call', { name: 'slow', arguments: {}, _meta })).result).toMatchObject({ task: {} })
  expect((await ask('tasks/get', { taskId: 'task-0' })).result).toMatchObject({ status: 'completed' })
})
