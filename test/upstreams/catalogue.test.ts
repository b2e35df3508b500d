import { afterEach, expect, it, vi } from 'vitest'
import type { Context } from '../../src/core/context.ts'
import { createLog } from '../../src/log.ts'
import { type Audience, audienceOf } from '../../src/upstreams/audience.ts'
import { catalogueOf } from '../../src/upstreams/catalogue.ts'
import type { Change } from '../../src/upstreams/changes.ts'
import { anMcp, type Manner, pooled, program } from './pooled.ts'

afterEach(() => void vi.useRealTimers())

const CAPABLE = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} }

function catalogued(tools: () => string[], manner: Manner = {}, kept: () => Promise<null> = async () => null) {
  const { pool, lines } = pooled({
    ...manner,
    result: (method) => {
      if (method === 'initialize') return CAPABLE
      return method === 'tools/list' ? { tools: tools().map((name) => ({ name })) } : undefined
    },
  })
  const said: string[] = []
  const nothingKept = { offer: kept, keepOffer: async () => {} }
  const ctx = { now: () => new Date(0), store: { mcps: nothingKept } } as unknown as Context
  const catalogue = catalogueOf(
    ctx,
    pool,
    createLog({ level: 'error', write: (line) => void said.push(line), now: ctx.now }),
  )
  const heard: Change[][] = []
  catalogue.onChange((_mcp, _environment, changes) => heard.push(changes))
  const asked = () => lines.flatMap((line) => line.asked).filter(({ method }) => method === 'tools/list').length
  return { catalogue, heard, asked, pool, said }
}

it('tells which tools are new, gone or different', async () => {
  let tools = ['stays', 'goes']
  const { catalogue, heard, pool } = catalogued(() => tools)
  await catalogue.refresh(anMcp(), 'live')
  tools = ['stays', 'comes']
  catalogue.stale(anMcp(), 'live', 'tools', await pool.reach(anMcp(), 'live', program()))
  await expect.poll(() => heard).toEqual([[{ kind: 'tools', names: ['comes', 'goes'] }]])
})

it('says that it could not look, and lives on, when the store fails as a list changes', async () => {
  const { catalogue, pool, said } = catalogued(
    () => ['a'],
    {},
    () => Promise.reject(new Error('disk I/O error')),
  )
  catalogue.stale(anMcp(), 'live', 'tools', await pool.reach(anMcp(), 'live', program()))
  await expect.poll(() => said.join(''), { timeout: 10_000 }).toContain('disk I/O error')
})

it('tells of a list that was never read before as all new', async () => {
  const { catalogue, heard, pool } = catalogued(() => ['a'])
  catalogue.stale(anMcp(), 'live', 'tools', await pool.reach(anMcp(), 'live', program()))
  await expect.poll(() => heard).toEqual([[{ kind: 'tools', names: ['a'] }]])
})

it('is not driven in circles by a server that says so whenever it is read', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const { catalogue, pool, asked } = catalogued(() => ['a'], {
    says({ method }, line) {
      if (method === 'tools/list') line.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    },
  })
  pool.listen(
    (mcp, environment, _message, lease) => catalogue.stale(mcp, environment, 'tools', lease),
    () => true,
  )
  catalogue.stale(anMcp(), 'live', 'tools', await pool.reach(anMcp(), 'live', program()))
  await vi.advanceTimersByTimeAsync(120_000)
  expect(asked()).toBeGreaterThan(3)
  expect(asked()).toBeLessThan(15)
})

it('forgets what was heard of an MCP that is there no more', async () => {
  const { catalogue } = catalogued(() => ['a'])
  await catalogue.refresh(anMcp(), 'live')
  catalogue.keepOnly(() => false)
  expect(catalogue.workspaces()).toEqual(new Set())
})

it('reads the lists for clients that can be asked over a connection that can be asked too, and keeps them apart', async () => {
  const { pool, lines } = pooled({
    result: (method) => (method === 'initialize' ? CAPABLE : undefined),
    says({ method, id }, line) {
      if (method !== 'tools/list') return
      const able = line.asked.some(
        ({ params }) => (params?.capabilities as object | undefined) && 'roots' in (params!.capabilities as object),
      )
      line.say({ jsonrpc: '2.0', id, result: { tools: [{ name: 'a' }, ...(able ? [{ name: 'get-roots' }] : [])] } })
    },
    silent: ['tools/list'],
  })
  const ctx = {
    now: () => new Date('2026-06-01'),
    store: { mcps: { offer: async () => null, keepOffer: async () => {} } },
  }
  const log = createLog({ level: 'error', write: () => {}, now: ctx.now })
  const catalogue = catalogueOf(ctx as unknown as Context, pool, log)
  const names = async (audience?: Audience) =>
    (await catalogue.offer(anMcp(), 'live', audience)).tools.map(({ name }) => name)
  const able = audienceOf('legacy', { roots: { listChanged: true } })
  expect(await names()).toEqual(['a'])
  expect(await names(able)).toEqual(['a', 'get-roots'])
  expect(await names()).toEqual(['a'])
  expect(await names(audienceOf('modern', { roots: {} }))).toEqual(['a']) // it does not speak to those
  expect(lines.filter(({ closed }) => !closed)).toHaveLength(2)
})

it('costs a list nothing while a server stays silent, and is told of once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { pool } = pooled({ silent: ['initialize', 'server/discover'] })
  let now = new Date('2026-06-01').getTime()
  const said: string[] = []
  const ctx = {
    now: () => new Date(now),
    store: { mcps: { offer: async () => null, keepOffer: async () => {} } },
  } as unknown as Context
  const log = createLog({ level: 'debug', write: (line) => void said.push(line), now: ctx.now })
  const catalogue = catalogueOf(ctx, pool, log)
  const first = catalogue.offer(anMcp(), 'live')
  await vi.advanceTimersByTimeAsync(5_000)
  now += 5_000
  const nothing = { tools: [], prompts: [], resources: [], templates: [] }
  expect(await first).toEqual(nothing)
  for (let i = 0; i < 100; i++) expect(catalogue.offer(anMcp(), 'live')).toEqual(nothing)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(said.filter((line) => line.includes('An offer could not be heard'))).toHaveLength(1)
})

it('answers without waiting what it has heard', async () => {
  const { catalogue } = catalogued(() => ['a'])
  await catalogue.refresh(anMcp(), 'live')
  expect(catalogue.offer(anMcp(), 'live')).toMatchObject({ tools: [{ name: 'a' }] })
})
