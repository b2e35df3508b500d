import { afterEach, describe, expect, it, vi } from 'vitest'
import { hashOf } from '../../src/core/keys/format.ts'
import { disable, edit, revoke } from '../../src/core/keys/lifecycle.ts'
import { keyRing } from '../../src/core/keys/ring.ts'
import { keyWatch } from '../../src/gateway/watch.ts'
import { createLog } from '../../src/log.ts'
import { operator, type Started, start } from '../support/start.ts'

afterEach(() => void vi.useRealTimers())

const SECOND = 1_000

/** A watch whose timer only the test moves, and which keys it has asked for. */
function watchBy({ ctx }: Started) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const ring = keyRing(ctx)
  const find = vi.spyOn(ring, 'find')
  const log = createLog({ level: 'error', write: () => {}, now: ctx.now })
  return { watch: keyWatch(ctx, ring, [], log), find }
}

const found = async ({ ctx, key }: Started, wanted = {}) =>
  (await ctx.store.keys.findByHash(hashOf((await key(wanted)).fullKey, ctx.secrets)))!

/** A hundred streams of a key and one of another. */
async function watched(wanted: { expiresAt?: Date } = {}) {
  const app = await start()
  const [key, other] = [await found(app, wanted), await found(app)]
  const { watch } = watchBy(app)
  const ended: number[] = []
  for (let stream = 0; stream < 100; stream++) watch.open(key).addEventListener('abort', () => ended.push(stream))
  return { app, key, ended, other: watch.open(other) }
}

describe('a hundred streams of a key', () => {
  it.each([
    ['revoked', ({ ctx, workspace }: Started, id: string) => revoke(ctx, operator, workspace.id, id, null)],
    ['disabled', ({ ctx, workspace }: Started, id: string) => disable(ctx, operator, workspace.id, id)],
    [
      'narrowed',
      ({ ctx, workspace }: Started, id: string) => edit(ctx, operator, workspace.id, id, { scopes: ['mcp:a:b'] }),
    ],
  ])('have all ended within a second once it is %s, and nobody else’s has', async (_how, change) => {
    const { app, key, ended, other } = await watched()
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(ended).toEqual([])
    await change(app, key.id)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(ended).toHaveLength(100)
    expect(other.aborted).toBe(false)
  })

  it('have ended within a second after it has expired', async () => {
    const { app, ended } = await watched({ expiresAt: new Date('2026-06-01T12:01:00Z') })
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(ended).toEqual([])
    app.advance(60_000)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(ended).toHaveLength(100)
  })

  it('end although one of them cannot be', async () => {
    const app = await start()
    const key = await found(app)
    const { watch } = watchBy(app)
    const heard: string[] = []
    const stuck = watch.open(key)
    stuck.addEventListener('abort', () => {
      throw new Error('stuck')
    })
    stuck.addEventListener('abort', () => heard.push('its other listener'))
    watch.open(key).addEventListener('abort', () => heard.push('the other stream'))
    await revoke(app.ctx, operator, app.workspace.id, key.id, null)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(heard).toEqual(['its other listener', 'the other stream'])
  })

  it('end with its expiry also while the database cannot be read', async () => {
    const { app, ended } = await watched({ expiresAt: new Date('2026-06-01T12:01:00Z') })
    await app.ctx.store.close()
    app.advance(60_000)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(ended).toHaveLength(100)
  })
})

describe('a stream that is opened', () => {
  it('with a key that was revoked since it was found ends as well', async () => {
    const app = await start()
    const key = await found(app)
    await revoke(app.ctx, operator, app.workspace.id, key.id, null)
    const stream = watchBy(app).watch.open(key)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(stream.aborted).toBe(true)
  })

  it('with a key that has been narrowed ends those of before at once', async () => {
    const app = await start()
    const key = await found(app)
    const { watch } = watchBy(app)
    const before = watch.open(key)
    await edit(app.ctx, operator, app.workspace.id, key.id, { scopes: ['mcp:a:b'] })
    const after = watch.open((await app.ctx.store.keys.findByHash(key.secret.hash))!)
    expect([before.aborted, after.aborted]).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(after.aborted).toBe(false)
  })

  it('is not remembered once it is closed', async () => {
    const app = await start()
    const [key, other] = [await found(app), await found(app)]
    const { watch, find } = watchBy(app)
    const streams = [watch.open(key), watch.open(other)]
    await vi.advanceTimersByTimeAsync(SECOND)
    streams[0]!.close()
    find.mockClear()
    await app.key()
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(find.mock.calls.flat()).toEqual([other.secret.hash])
  })
})
