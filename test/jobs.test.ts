import { expect, it, vi } from 'vitest'
import { startJobs } from '../src/jobs.ts'
import { silent } from '../src/log.ts'
import { start } from './support/start.ts'

it('forgets what is too old, and keeps what is not', async () => {
  const { ctx, workspace, advance } = await start()
  const line = {
    workspaceId: workspace.id,
    requestId: 'req_1',
    keyId: null,
    mcp: 'docs',
    method: 'tools/call',
    tool: 'search',
    environment: 'live' as const,
    outcome: 'ok' as const,
    status: 200,
    latencyMs: 1,
    upstreamMs: null,
    ip: '127.0.0.1',
    client: null,
  }
  await ctx.store.activity.write([{ ...line, at: ctx.now() }])
  advance(29 * 86_400_000)
  await ctx.store.activity.write([{ ...line, at: ctx.now(), requestId: 'req_2' }])
  advance(2 * 86_400_000)
  vi.useFakeTimers()
  const stop = startJobs(ctx, { activityDays: 30, log: silent })
  vi.advanceTimersByTime(10_000)
  vi.useRealTimers()
  const left = async () =>
    (await ctx.store.activity.list({ workspaceId: workspace.id }, { limit: 10, cursor: null })).items
  await expect.poll(async () => (await left()).map(({ requestId }) => requestId)).toEqual(['req_2'])
  stop()
})

it('notes when a key was used on REST', async () => {
  const { ctx, workspace, get, key } = await start()
  const { key: used, fullKey } = await key()
  await get('/api/v1/whoami', fullKey)
  await expect.poll(async () => (await ctx.store.keys.byId(workspace.id, used.id))?.lastUsedAt).toEqual(ctx.now())
})
