import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { activityWorker, migrationsFolder } from '../../src/assets.ts'
import type { ActivityLine } from '../../src/core/activity.ts'
import { newId } from '../../src/core/ids.ts'
import { activityIn } from '../../src/store/activity.ts'
import { activityBeside, carryOver } from '../../src/store/activity-file.ts'
import { activityThread } from '../../src/store/activity-thread.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openStore } from '../../src/store/open.ts'
import { connect } from '../../src/store/sqlite.ts'
import { aLine, folder, later, NOW, secrets, storeIn } from '../support/store.ts'

const ALL = { limit: 200, cursor: null }
const OURS = { workspaceId: 'wsp_1' }
const PATIENT = { timeout: 10_000 }

const numbered = (n: number) => aLine({ id: 'wsp_1' }, { requestId: `req_${n}`, at: later(n) })
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => numbered(from + n))
const textOf = (written: ActivityLine[]) => written.map(({ requestId }) => requestId)

/** A thread made of this code, which notes each time it begins. */
function noting(code: string) {
  const home = folder()
  const [worker, notes] = [join(home, 'worker.mjs'), join(home, 'notes')]
  writeFileSync(notes, '')
  writeFileSync(
    worker,
    `import { appendFileSync, readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
appendFileSync(${JSON.stringify(notes)}, '.')
const times = readFileSync(${JSON.stringify(notes)}, 'utf8').length
const real = () => import(${JSON.stringify(activityWorker())})
${code}`,
  )
  return { worker, begun: () => readFileSync(notes, 'utf8').length }
}

function opened(worker?: string, file = join(folder(), 'claviger.db')) {
  const activity = activityIn(file, worker)
  onTestFinished(() => activity.close())
  const listed = async () => textOf((await activity.list(OURS, ALL)).items).reverse()
  return { activity, listed, file: activityBeside(file) }
}

describe('activity on disk', () => {
  it('comes back as it was written', async () => {
    const { activity } = opened()
    const odd = aLine(
      { id: 'wsp_1' },
      { keyId: null, mcp: null, tool: '\u0000"quoted"\n\ud83d\udd11', upstreamMs: null, latencyMs: 0.1, client: 'ünï' },
    )
    await activity.write([numbered(1), odd])
    expect((await activity.list(OURS, ALL)).items).toEqual([odd, numbered(1)])
  })

  it('is read and swept without a thread until the first line comes', async () => {
    const { worker, begun } = noting('await real()')
    const { activity, listed, file } = opened(worker)
    expect(await listed()).toEqual([])
    await activity.sweep(NOW)
    expect(await activity.callersOf('wsp_1', 'key_1', NOW)).toMatchObject({ calls: 0 })
    expect([begun(), existsSync(file)]).toEqual([0, false])
    const [before, , after] = await Promise.all([listed(), activity.write([numbered(1)]), listed()])
    expect([before, after, begun()]).toEqual([[], ['req_1'], 1])
  })

  it('is seen by whoever else opens the file', async () => {
    const file = join(folder(), 'claviger.db')
    const server = opened(undefined, file)
    await server.activity.write(lines(1, 3))
    const command = opened(undefined, file)
    expect(await command.listed()).toEqual(['req_1', 'req_2', 'req_3'])
    expect(await command.activity.callersOf('wsp_1', 'key_1', NOW)).toMatchObject({ calls: 3 })
  })

  it('forgets what is too old, however much it is, and is written to meanwhile', async () => {
    const { activity, listed } = opened()
    await activity.write(lines(1, 3500))
    const sweeping = activity.sweep(later(3499))
    await activity.write([numbered(3501)])
    await sweeping
    expect(await listed()).toEqual(['req_3499', 'req_3500', 'req_3501'])
  })

  it('waits for a lock of somebody else without holding up this thread', async () => {
    const { activity, listed, file } = opened()
    await activity.write([numbered(1)])
    const other = new Database(file)
    other.exec('begin immediate')
    let written = false
    const writing = activity.write([numbered(2)]).then(() => {
      written = true
    })
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(written).toBe(false)
    other.exec('commit')
    other.close()
    await writing
    expect(await listed()).toEqual(['req_1', 'req_2'])
  })

  it('refuses lines while its file is none, and takes them once it may be made', async () => {
    const { activity, listed, file } = opened()
    writeFileSync(file, 'not a database, though long enough to be taken for one. '.repeat(50))
    for (let tries = 0; tries < 3; tries++)
      await expect(activity.write([numbered(1)])).rejects.toThrow('file is not a database')
    rmSync(file)
    await activity.write([numbered(1)])
    expect(await listed()).toEqual(['req_1'])
  })

  it.each([['', '-wal', '-shm'], ['']])('begins another file when its own is deleted', async (...ends) => {
    const { activity, listed, file } = opened()
    await activity.write([numbered(1)])
    for (const end of ends) rmSync(file + end)
    await Promise.all([activity.write([numbered(2)]), activity.write([numbered(3)]), listed()])
    await activity.sweep(NOW)
    expect(await listed()).toEqual(['req_2', 'req_3'])
    expect(textOf((await opened(undefined, join(file, '../claviger.db')).activity.list(OURS, ALL)).items)).toHaveLength(
      2,
    )
    const other = new Database(file)
    expect(other.pragma('integrity_check', { simple: true })).toBe('ok')
    other.close()
  })

  it('loses nothing when it is closed right after', async () => {
    const file = join(folder(), 'claviger.db')
    const { activity } = opened(undefined, file)
    const writing = activity.write(lines(1, 2000))
    await activity.close()
    await writing
    await expect(activity.write([numbered(1)])).rejects.toThrow('closed')
    expect((await opened(undefined, file).listed()).length).toBe(200)
  })
})

describe('texts that lines have in common', () => {
  const DAY_MS = 86_400_000
  const at = (day: number, said: Partial<ActivityLine>) =>
    aLine({ id: 'wsp_1' }, { requestId: `req_${day}`, at: new Date(NOW.getTime() + day * DAY_MS), ...said })

  function namesIn(file: string): string[] {
    const other = new Database(file, { readonly: true })
    const names = other.prepare('select text from name order by text').pluck().all() as string[]
    other.close()
    return names
  }

  it('are kept once, whoever writes', async () => {
    const file = join(folder(), 'claviger.db')
    const [one, another] = [opened(undefined, file), opened(undefined, file)]
    const written = [at(1, { tool: 'read' }), at(2, { tool: 'ok' }), at(3, { tool: 'read', client: 'read' })]
    await one.activity.write(written.slice(0, 1))
    await another.activity.write(written.slice(1, 2))
    await one.activity.write(written.slice(2))
    expect((await another.activity.list(OURS, ALL)).items.reverse()).toEqual(written)
    expect(namesIn(one.file).filter((name) => name === 'read' || name === 'ok')).toEqual(['ok', 'read'])
  })

  it('go with the last line that has them', async () => {
    const { activity, file } = opened()
    const lasting = [at(20, { tool: 'first' }), at(21, { tool: 'new' })]
    const old = at(1, { tool: 'old', client: 'old/1' })
    await activity.write([at(1, { tool: 'first' }), ...lasting, at(2, { tool: 'first' }), old])
    await activity.sweep(at(10, {}).at)
    expect(namesIn(file)).toEqual(expect.arrayContaining(['first', 'new']))
    expect(namesIn(file).filter((name) => name.startsWith('old'))).toEqual([])
    expect((await activity.list(OURS, ALL)).items.reverse()).toEqual(lasting)
    await activity.write([old])
    expect((await activity.list(OURS, ALL)).items[0]).toEqual(old)
  })

  it('are named anew after a batch that was undone', async () => {
    const { activity } = opened()
    const late = at(1, { tool: 'late' })
    await expect(activity.write([late, at(1, { status: 'none' as never })])).rejects.toThrow('status')
    await activity.write([at(1, { tool: 'other' })])
    await activity.write([late])
    expect((await activity.list(OURS, ALL)).items.map(({ tool }) => tool)).toEqual(['late', 'other'])
  })

  it('may be as many as lines', async () => {
    const { activity } = opened()
    const written = Array.from({ length: 12_000 }, (_, n) => at(1, { requestId: `req_${n}`, tool: `tool ${n}` }))
    await activity.write(written)
    await activity.write(written.slice(0, 100))
    expect((await activity.list(OURS, { limit: 100, cursor: null })).items.reverse()).toEqual(written.slice(0, 100))
  })

  it('make a line as small as the manual says', async () => {
    const { activity, file } = opened()
    const written = Array.from({ length: 20_000 }, (_, n) =>
      at(1, { requestId: newId('req', later(n)), keyId: `key_${n % 16}`, latencyMs: n / 100, upstreamMs: n / 110 }),
    )
    await activity.write(written)
    await activity.close()
    expect(statSync(file).size / written.length).toBeLessThan(130)
  })

  it('are named anew after another process has swept them', async () => {
    const file = join(folder(), 'claviger.db')
    const [one, another] = [opened(undefined, file), opened(undefined, file)]
    const ours = at(1, { tool: 'ours' })
    await one.activity.write([ours])
    await another.activity.sweep(at(10, {}).at)
    await another.activity.write([at(1, { workspaceId: 'wsp_2', keyId: 'key_2', tool: 'theirs' })])
    await one.activity.write([ours])
    expect((await another.activity.list(OURS, ALL)).items).toEqual([ours])
  })

  it("are never another's once they are gone", async () => {
    const { activity } = opened()
    const said = { workspaceId: 'wsp_3', keyId: 'key_3', tool: 'old' }
    const old = Array.from({ length: 1_500 }, (_, n) => at(1, { requestId: `req_old_${n}`, ...said }))
    await activity.write([at(400, { tool: 'early' }), ...old]) // by a clock that was ahead: what is behind it stays
    await activity.sweep(at(31, {}).at)
    const theirs = at(31, { workspaceId: 'wsp_2', keyId: 'key_2', tool: 'theirs' })
    await activity.write([theirs])
    expect((await activity.list({ workspaceId: 'wsp_2' }, ALL)).items).toEqual([theirs])
    expect(await activity.callersOf('wsp_2', 'key_2', NOW)).toMatchObject({ calls: 1 })
  })
})

describe('the thread of activity', () => {
  it('that dies refuses what it was asked, and begins anew with the next question', async () => {
    const { worker, begun } = noting(
      "if (times === 1) parentPort.on('message', () => { throw new Error('out of memory') })\nelse await real()",
    )
    const { activity, listed } = opened(worker)
    const both = await Promise.allSettled([activity.write([numbered(1)]), activity.write([numbered(2)])])
    expect(both).toMatchObject([{ status: 'rejected', reason: { message: 'out of memory' } }, { status: 'rejected' }])
    await activity.write([numbered(3)])
    expect([await listed(), begun()]).toEqual([['req_3'], 2])
  })

  it('that ends by itself does too', async () => {
    const { worker } = noting("if (times === 1) parentPort.on('message', () => process.exit())\nelse await real()")
    const { activity, listed } = opened(worker)
    await expect(activity.write([numbered(1)])).rejects.toThrow('The thread of activity has ended.')
    await activity.write([numbered(1)])
    expect(await listed()).toEqual(['req_1'])
  })

  it('that dies with the file open leaves it whole to the next', async () => {
    const { worker, begun } = noting(`await real()
const dieOf = ({ args }) => String(args[0]).includes('req_2') && setImmediate(() => { throw new Error('out of memory') })
if (times === 1) parentPort.on('message', dieOf)`)
    const { activity, listed, file } = opened(worker)
    await activity.write([numbered(1)])
    await activity.write([numbered(2)])
    await expect.poll(() => activity.write([numbered(3)]).then(begun, begun), PATIENT).toBe(2)
    expect(new Set(await listed())).toEqual(new Set(['req_1', 'req_2', 'req_3']))
    const other = new Database(file)
    expect(other.pragma('integrity_check', { simple: true })).toBe('ok')
    other.close()
  })

  it('that dies again and again begins once a second at most', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { worker, begun } = noting("throw new Error('no')")
    const { activity } = opened(worker)
    const write = () => activity.write([numbered(1)])
    for (const times of [1, 2]) {
      await expect(write()).rejects.toThrow('no')
      expect(begun()).toBe(times)
    }
    await expect(write()).rejects.toThrow('It begins anew in a moment.')
    vi.advanceTimersByTime(999)
    await expect(write()).rejects.toThrow('It begins anew in a moment.')
    expect(begun()).toBe(2)
    vi.advanceTimersByTime(1)
    await expect(write()).rejects.toThrow('no')
    expect(begun()).toBe(3)
  })

  it('that hangs is stopped when it should end', async () => {
    const { worker, begun } = noting("parentPort.on('message', () => { for (;;) {} })")
    const thread = activityThread(join(folder(), 'activity.db'), worker, 20)
    const writing = thread.write('[]').catch((error: Error) => error.message)
    await expect.poll(begun, PATIENT).toBe(1)
    await thread.close()
    expect(await writing).toBe('The activity is closed.')
  })
})

describe('a database that still has the lines among the rest', () => {
  /** As the version before made it, with lines from 1 to 3. */
  function older() {
    const home = folder()
    const file = join(home, 'claviger.db')
    const before = join(home, 'migrations')
    mkdirSync(before)
    for (const name of readdirSync(migrationsFolder()).filter((name) => name < '0010'))
      writeFileSync(join(before, name), readFileSync(join(migrationsFolder(), name)))
    const connection = connect(file)
    migrate(connection, before, NOW)
    const add = connection.prepare(`insert into activity (workspace_id, at, request_id, key_id, mcp, method, tool,
      environment, outcome, status, latency_ms, upstream_ms, ip, client)
      values ('wsp_1', ?, ?, 'key_1', 'files', 'tools/call', 'read', 'live', 'ok', 200, 1.5, 1, '127.0.0.1', 'test/1')`)
    for (const { at, requestId } of lines(1, 3)) add.run(at.getTime(), requestId)
    return { file, connection }
  }

  const hasTable = (connection: Database.Database) =>
    connection.prepare("select count(*) from sqlite_schema where tbl_name = 'activity'").pluck().get() !== 0

  it('hands them over', async () => {
    const { file, connection } = older()
    const { activity } = storeIn(file)
    expect((await activity.list(OURS, ALL)).items).toEqual(lines(1, 3).reverse())
    expect(hasTable(connection)).toBe(false)
    await activity.write([numbered(4)])
    expect(textOf((await activity.list(OURS, { limit: 2, cursor: null })).items)).toEqual(['req_4', 'req_3'])
    connection.close()
  })

  it('hands them over once, also if it was killed before they were dropped', async () => {
    const { file, connection } = older()
    carryOver(connection, activityBeside(file))
    connection.close()
    const { activity } = storeIn(file)
    expect((await activity.list(OURS, ALL)).items).toEqual(lines(1, 3).reverse())
  })

  it('keeps them while they cannot be taken', () => {
    const { file, connection } = older()
    mkdirSync(activityBeside(file))
    expect(() => openStore(file, secrets, NOW)).toThrow('unable to open')
    expect(hasTable(connection)).toBe(true)
    expect(connection.prepare('select count(*) from activity').pluck().get()).toBe(3)
    connection.close()
  })

  it('makes no file if there are none', () => {
    const { file, connection } = older()
    connection.exec('delete from activity')
    connection.close()
    storeIn(file)
    expect(existsSync(activityBeside(file))).toBe(false)
  })
})
