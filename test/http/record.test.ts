import { expect, it, onTestFinished } from 'vitest'
import type { ActivityLine } from '../../src/core/activity.ts'
import { recorder } from '../../src/http/record.ts'
import { createLog } from '../../src/log.ts'
import { type Started, start } from '../support/start.ts'

/** A recorder of its own beside the program's, on a disk that is full until the test makes room. */
async function onFullDisk() {
  const app = await start()
  const { key } = await app.key()
  const said: Record<string, unknown>[] = []
  const log = createLog({ level: 'info', write: (line) => void said.push(JSON.parse(line)), now: app.ctx.now })
  const disk = { full: true, usesToo: false }
  const { activity, uses } = app.ctx.store
  const store = Object.create(app.ctx.store, {
    activity: {
      value: {
        ...activity,
        write: (...written: Parameters<typeof activity.write>) =>
          disk.full ? Promise.reject(new Error('database or disk is full')) : activity.write(...written),
      },
    },
    uses: {
      value: {
        note: (...noted: Parameters<typeof uses.note>) =>
          disk.usesToo ? Promise.reject(new Error('database or disk is full')) : uses.note(...noted),
      },
    },
  }) as Started['ctx']['store']
  const record = recorder({ ...app.ctx, store }, log)
  onTestFinished(() => record.close())
  const line = (n: number): ActivityLine => ({
    workspaceId: app.workspace.id,
    at: app.ctx.now(),
    requestId: `req_${n}`,
    keyId: key.id,
    mcp: 'docs',
    method: 'tools/call',
    tool: 'search',
    environment: 'live',
    outcome: 'ok',
    status: 200,
    latencyMs: 1,
    upstreamMs: 1,
    ip: '127.0.0.1',
    client: 'test',
  })
  return { app, key, said, disk, record, line }
}

it('says once that the disk is full, then once a minute, and when it is no more', async () => {
  const { app, said, disk, record, line } = await onFullDisk()
  record.record(line(0))
  for (let tries = 0; tries < 5; tries++) await record.flush()
  expect(said).toMatchObject([{ level: 'error', failures: 1, waiting: 1, lost: 0 }])
  app.advance(60_000)
  await record.flush()
  expect(said[1]!.failures).toBeGreaterThan(5)
  disk.full = false
  await record.flush()
  await record.flush()
  expect(said.slice(2)).toMatchObject([{ message: 'Activity is written again', lost: 0 }])
  disk.full = true
  record.record(line(1))
  await record.flush()
  expect(said[3]).toMatchObject({ level: 'error', failures: 1 })
  disk.full = false
})

it('says how many lines were lost, and loses no use of a key', async () => {
  const { app, key, said, disk, record, line } = await onFullDisk()
  const MORE = 100_007
  for (let n = 0; n < MORE; n++) record.record(line(n))
  expect(said).toMatchObject([{ level: 'error', lost: 1 }])
  disk.full = false
  await record.flush()
  expect(said.at(-1)).toMatchObject({ message: 'Activity is written again', lost: 7 })
  expect(await app.ctx.store.keys.byId(app.workspace.id, key.id)).toMatchObject({ requestCount: MORE })
})

it('writes uses while lines cannot be, and lines while uses cannot', async () => {
  const { app, key, said, disk, record, line } = await onFullDisk()
  const used = () => app.ctx.store.keys.byId(app.workspace.id, key.id)
  const listed = async () =>
    (await app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 10, cursor: null })).items.length
  record.record(line(0))
  await record.flush()
  expect([(await used())!.requestCount, await listed()]).toEqual([1, 0])
  Object.assign(disk, { full: false, usesToo: true })
  record.record(line(1))
  await record.flush()
  await record.flush()
  expect([(await used())!.requestCount, await listed()]).toEqual([1, 2])
  expect(said.at(-1)).toMatchObject({ message: 'The last use of keys could not be written; it is tried again' })
  disk.usesToo = false
  record.record(line(2))
  await record.flush()
  expect([(await used())!.requestCount, await listed()]).toEqual([3, 3])
  expect(said.at(-1)).toMatchObject({ message: 'The last use of keys is written again' })
})

it('keeps no key that a caller has put into a name', async () => {
  const { app, key, disk, record, line } = await onFullDisk()
  const { fullKey } = await app.key()
  disk.full = false
  const client = `${'x'.repeat(30)} ${fullKey}`
  record.record({ ...line(0), mcp: fullKey, tool: `${'x'.repeat(240)}${fullKey}`, method: `a/${fullKey}`, client })
  await record.flush()
  const written = async () =>
    JSON.stringify([
      (await app.ctx.store.activity.list({ workspaceId: app.workspace.id }, { limit: 10, cursor: null })).items,
      await app.ctx.store.keys.byId(app.workspace.id, key.id),
    ])
  expect(await written()).toContain('clv_live_')
  expect(await written()).not.toContain(fullKey.slice(17, 30))
  record.used({ keyId: key.id, at: app.ctx.now(), ip: '127.0.0.1', client: fullKey })
  await record.flush()
  await record.flush()
  expect(await written()).not.toContain(fullKey.slice(17, 30))
})
