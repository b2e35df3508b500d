import { afterEach, describe, expect, it, vi } from 'vitest'
import { Cancelled } from '../../src/upstreams/connection.ts'
import { anMcp, older, pooled, program } from './pooled.ts'

describe('reaching a server', () => {
  it('opens one connection for all who come at once', async () => {
    const { pool, lines } = pooled({ era: 'modern' })
    const mcp = anMcp()
    const leases = await Promise.all([1, 2, 3].map((n) => pool.reach(mcp, 'live', program(`key_${n}`))))
    expect(new Set(leases).size).toBe(1)
    expect(lines).toHaveLength(1)
  })

  it('remembers for a day that a server is an older one', async () => {
    const { pool, lines, advance } = pooled()
    const probes = () => lines.flatMap(({ asked }) => asked).filter(({ method }) => method === 'server/discover').length
    const reachAnew = async () => {
      await pool.reach(anMcp(), 'live', program())
      lines.at(-1)!.die()
    }
    await reachAnew()
    await reachAnew()
    expect(probes()).toBe(1)
    advance(25 * 3_600_000)
    await reachAnew()
    expect(probes()).toBe(2)
  })

  it('asks once more after a day also where the line was never at rest', async () => {
    const { pool, lines, advance } = pooled()
    const [mcp, party] = [anMcp(), program()]
    for (let hour = 0; hour < 30; hour++) {
      await pool.reach(mcp, 'live', party)
      advance(3_600_000)
    }
    const probes = lines.flatMap(({ asked }) => asked).filter(({ method }) => method === 'server/discover')
    expect(probes).toHaveLength(2)
  })

  it('waits ever longer before it tries again, and says what went wrong meanwhile', async () => {
    const { pool, manner, advance, lines } = pooled({ down: true })
    const reach = () => pool.reach(anMcp(), 'live', program())
    await expect(reach()).rejects.toThrow('It is down.')
    manner.down = false
    await expect(reach()).rejects.toThrow('It is down.')
    expect(lines).toHaveLength(0)
    advance(700)
    await reach()
    expect(pool.lastFailure(anMcp(), 'live')).toBeNull()
  })

  it('gives up after the time that the MCP is given', async () => {
    const { pool, living } = pooled({ silent: ['server/discover', 'initialize'] })
    await expect(pool.reach(anMcp({ timeoutSeconds: 1 }), 'live', program())).rejects.toMatchObject({
      failure: { code: 'upstream_timeout', stage: 'handshake', message: expect.stringContaining('within 1 s') },
    })
    expect(living()).toBe(0)
  })
})

describe('isolation', () => {
  const reachTwice = async (isolation: 'shared' | 'per-key' | 'per-session', capabilities: object) => {
    const { pool, lines } = pooled()
    const mcp = anMcp({ isolation })
    await pool.reach(mcp, 'live', older('a', { keyId: 'key_1', capabilities }))
    await pool.reach(mcp, 'live', older('b', { keyId: 'key_1', capabilities }))
    await pool.reach(mcp, 'live', older('c', { keyId: 'key_2', capabilities }))
    return lines.length
  }

  it.each([
    ['shared', {}, 1],
    ['per-key', {}, 2],
    ['per-session', {}, 3],
    ['shared', { elicitation: {} }, 3],
  ] as const)('%s with the capabilities %j makes %i connections of three sessions', async (isolation, can, made) => {
    expect(await reachTwice(isolation, can)).toBe(made)
  })

  it('leaves what was reached under an older definition', async () => {
    const { pool, lines } = pooled()
    const party = program()
    for (const revision of [1, 1, 2, 2]) await pool.reach(anMcp({ revision }), 'live', party)
    expect(lines.filter(({ asked }) => asked.some(({ method }) => method === 'initialize'))).toHaveLength(2)
  })

  it('keeps the environments apart', async () => {
    const { pool, lines } = pooled()
    const { live } = anMcp().targets
    const mcp = anMcp({ targets: { live, test: live } })
    const party = program()
    for (const environment of ['live', 'live', 'test'] as const) await pool.reach(mcp, environment, party)
    expect(lines.filter(({ asked }) => asked.some(({ method }) => method === 'initialize'))).toHaveLength(2)
  })
})

describe('processes', () => {
  it('are no more than sixteen for the sessions of one key', async () => {
    const { pool } = pooled()
    const of = (keyId: string, id: number) => pool.reach(anMcp(), 'live', older(`${keyId}-${id}`, { keyId }))
    await Promise.all(Array.from({ length: 16 }, (_, id) => of('key_1', id)))
    await expect(of('key_1', 16)).rejects.toThrow('16 busy sessions of this key already')
    await of('key_2', 0)
    pool.endSession('key_1-3')
    await of('key_1', 16)
  })

  it('make room by ending the idle session that was used longest ago', async () => {
    const { pool, advance } = pooled()
    const ended: number[] = []
    const asked: number[] = []
    const of = (id: number) => {
      const makesRoom = () => {
        asked.push(id)
        if (id < 2) return false // it is busy
        ended.push(id)
        pool.endSession(`s${id}`)
        return true
      }
      advance(1000)
      return pool.reach(anMcp(), 'live', older(`s${id}`, { makesRoom }))
    }
    for (let id = 0; id < 16; id++) await of(id)
    await of(2) // used again
    await of(16)
    await of(17)
    expect([ended, asked]).toEqual([
      [3, 4],
      [0, 1, 3, 0, 1, 4],
    ])
    expect(pool.reached()).toHaveLength(16)
  })

  it('are no more than a hundred in all', async () => {
    const { pool } = pooled()
    const mcp = anMcp({ isolation: 'per-key' })
    await Promise.all(Array.from({ length: 100 }, (_, id) => pool.reach(mcp, 'live', program(`key_${id}`))))
    await expect(pool.reach(mcp, 'live', program('key_100'))).rejects.toThrow('100 clients already')
  })

  it('are not started for a session that is over', async () => {
    const { pool, lines } = pooled()
    await expect(pool.reach(anMcp(), 'live', older('a', { over: true }))).rejects.toBeInstanceOf(Cancelled)
    expect(lines).toHaveLength(0)
  })
})

describe('ending', () => {
  const SILENT = { silent: ['server/discover', 'initialize'] }

  it('does not wait for a server that stays silent', async () => {
    const { pool, living } = pooled(SILENT)
    const reaching = pool.reach(anMcp(), 'live', program())
    await pool.close()
    await expect(reaching).rejects.toBeInstanceOf(Cancelled)
    expect(living()).toBe(0)
  })

  it('gives up what is being connected for a session that ends, without holding it against the server', async () => {
    const { pool, living, manner } = pooled(SILENT)
    const reaching = pool.reach(anMcp(), 'live', older('a'))
    pool.endSession('a')
    await expect(reaching).rejects.toBeInstanceOf(Cancelled)
    await expect.poll(living).toBe(0)
    manner.silent = []
    await pool.reach(anMcp(), 'live', older('b'))
  })

  it('closes what was reached under an older definition', async () => {
    const { pool, living } = pooled()
    await pool.reach(anMcp(), 'live', program())
    pool.keepOnly((_, revision) => revision === 2)
    await expect.poll(living).toBe(0)
    expect(pool.workspaces()).toEqual(new Set())
  })
})

describe('what has been open for long', () => {
  afterEach(() => void vi.useRealTimers())
  const HOUR = 3_600_000

  function ageing() {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const all = pooled()
    return {
      ...all,
      later(ms: number) {
        all.advance(ms)
        vi.advanceTimersByTime(30_000)
      },
    }
  }

  it('is closed when nobody has used it for ten minutes', async () => {
    const { pool, living, later } = ageing()
    await pool.reach(anMcp(), 'live', program())
    later(9 * 60_000)
    expect(living()).toBe(1)
    await pool.reach(anMcp(), 'live', program())
    later(9 * 60_000)
    expect(living()).toBe(1)
    later(2 * 60_000)
    await expect.poll(living).toBe(0)
  })

  it('stays while somebody listens to it', async () => {
    const { pool, living, later } = ageing()
    let listens = true
    pool.listen(
      () => {},
      () => listens,
    )
    await pool.reach(anMcp(), 'live', program())
    later(HOUR)
    expect(living()).toBe(1)
    listens = false
    later(30_000)
    await expect.poll(living).toBe(0)
  })

  it('makes place for a new process after a day, but never under a call', async () => {
    const { pool, living, later, manner, lines } = ageing()
    manner.silent = ['tools/call']
    const { connection } = await pool.reach(anMcp(), 'live', older('a'))
    const calling = connection.call({ method: 'tools/call', params: {}, timeoutMs: HOUR })
    later(25 * HOUR)
    expect(living()).toBe(1)
    lines[0]!.say({ jsonrpc: '2.0', id: lines[0]!.asked.at(-1)!.id, result: {} })
    await calling
    later(30_000)
    await expect.poll(living).toBe(0)
  })

  it('is there anew at once for those who listen, and knows what they subscribed to', async () => {
    const { pool, later, lines } = ageing()
    const { line } = await pool.reach(anMcp(), 'live', older('a'))
    pool.subscriptions.add(line, 'file:///a', { hear() {} })
    later(25 * HOUR)
    await expect
      .poll(() => lines[1]?.asked.at(-1))
      .toMatchObject({ method: 'resources/subscribe', params: { uri: 'file:///a' } })
    expect(lines[0]!.closed).toBe(true)
  })

  it('is connected anew when it dies under somebody who listens, but not in a hot loop', async () => {
    const { pool, later, lines, advance } = ageing()
    pool.listen(
      () => {},
      () => true,
    )
    await pool.reach(anMcp(), 'live', older('a', { capabilities: {} }))
    advance(60_000)
    lines[0]!.die()
    await expect.poll(() => lines[1]?.asked.length).toBe(2)
    lines[1]!.die()
    await Promise.resolve()
    expect(lines).toHaveLength(2)
    later(30_000)
    await expect.poll(() => lines.length).toBe(3)
  })
})

it('unsubscribes when the last subscriber leaves, and not before', async () => {
  const { pool, lines } = pooled()
  const { line } = await pool.reach(anMcp(), 'live', older('a', { capabilities: {} }))
  const [one, other] = [{ hear() {} }, { hear() {} }]
  for (const who of [one, other]) pool.subscriptions.add(line, 'file:///a', who)
  pool.endSubscriber(one)
  expect(lines[0]!.asked.map(({ method }) => method)).not.toContain('resources/unsubscribe')
  pool.endSubscriber(other)
  expect(lines[0]!.asked.at(-1)).toMatchObject({ method: 'resources/unsubscribe', params: { uri: 'file:///a' } })
})
