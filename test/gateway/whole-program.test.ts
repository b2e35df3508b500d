import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openContext } from '../../src/context.ts'
import { issue } from '../../src/core/keys/issuing.ts'
import { revoke } from '../../src/core/keys/lifecycle.ts'
import { addMcp } from '../../src/core/mcps/edit.ts'
import { folder, terminal } from '../cli/terminal.ts'
import { modern, offering, olderClient, overStdio, said } from '../support/mcp.ts'
import { serving } from '../support/process.ts'
import { operator, start } from '../support/start.ts'

/** A server as people run it, with one stdio MCP and a key. */
async function running() {
  const dataDir = `${folder()}/data`
  await terminal({ dataDir }).user('ana@example.com', '--owner')
  const { ctx } = openContext(readConfig({ env: { CLAVIGER_DATA_DIR: dataDir } }).config, () => new Date())
  const [workspace] = await ctx.store.workspaces.list()
  await addMcp(ctx, operator, workspace!.id, { slug: 'fix', live: overStdio() })
  const { fullKey, key } = await issue(ctx, operator, workspace!.id, { name: 'k' })
  await ctx.store.close()
  const server = await serving(dataDir)
  const call = (name: string, args: object, origin = server.origin) => {
    const { body, headers } = modern('tools/call', { name, arguments: args })
    const sent = { ...headers, 'content-type': 'application/json', authorization: `Bearer ${fullKey.reveal()}` }
    return fetch(`${origin}/mcp/fix`, { method: 'POST', headers: sent, body: JSON.stringify(body) })
  }
  return { dataDir, server, call, workspaceId: workspace!.id, keyId: key.id }
}

/** The process that answers, as it says itself. */
async function childOf(answer: Response): Promise<number> {
  const { env } = (await said(answer)).result!.structuredContent as { env: Record<string, string> }
  const mark = env.MCP_CHILD!
  const { stdout } = Bun.spawnSync(['grep', '-lz', `MCP_CHILD=${mark}`, '-r', '/proc', '--include=environ', '-s'])
  return Number(/\/proc\/(\d+)\/environ/.exec(stdout.toString())![1])
}

/** The dead whom nobody has collected yet do not count. */
function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

it('leaves no child behind after SIGTERM, and lets a call in flight finish', async () => {
  const { server, call } = await running()
  const child = await childOf(await call('env', {}))
  const slow = await call('sleep', { ms: 1500 }) // its stream is open, its answer is not there yet
  expect(alive(child)).toBe(true)
  const { code } = await server.stop()
  expect(code).toBe(0)
  expect(JSON.stringify(await said(slow))).toContain('Slept 1500')
  expect(alive(child)).toBe(false)
})

it('ends after a kill -9 what was left running, when it starts again', async () => {
  const { dataDir, server, call } = await running()
  const child = await childOf(await call('env', {}))
  server.server.kill('SIGKILL')
  await server.server.exited
  const again = await serving(dataDir)
  expect(alive(child)).toBe(false)
  expect((await said(await call('echo', { text: 'back' }, again.origin))).result).toBeDefined()
  await again.stop()
})

describe('revocation', () => {
  it('survives a kill -9 right after its answer', async () => {
    const { dataDir, server, call, workspaceId, keyId } = await running()
    expect((await call('echo', { text: 'hi' })).status).toBe(200)
    const { ctx } = openContext(readConfig({ env: { CLAVIGER_DATA_DIR: dataDir } }).config, () => new Date())
    await revoke(ctx, operator, workspaceId, keyId, null)
    expect((await call('echo', { text: 'hi' })).status).toBe(401) // another process wrote; the next request knows
    server.server.kill('SIGKILL')
    await server.server.exited
    await ctx.store.close()
    const again = await serving(dataDir)
    expect((await call('echo', { text: 'hi' }, again.origin)).status).toBe(401)
    await again.stop()
  })
})

it('holds a thousand idle streams, and tells each what changes', async () => {
  const app = await start({ level: 'info' })
  await offering(app, 'fix', { live: overStdio('--era', 'legacy') })
  const { fullKey } = await app.key()
  await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/list') })
  // Bun runs 256 fetches at a time and no more
  const listen = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { body, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
      const sent = request(`${app.origin}/mcp`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${fullKey}` },
      })
      sent.on('response', resolve).on('error', reject).end(JSON.stringify(body))
    })
  const streams = await Promise.all(Array.from({ length: 1000 }, listen))
  const told = streams.map(async (stream) => {
    let heard = ''
    for await (const piece of stream.setEncoding('utf8')) {
      heard += piece
      if (heard.includes('notifications/tools/list_changed')) return true
    }
    return false
  })
  const client = await olderClient(app, '/mcp/fix', fullKey)
  await client.ask('tools/call', { name: 'test_trigger_tool_change', arguments: {} })
  expect(new Set(await Promise.all(told))).toEqual(new Set([true]))
})
