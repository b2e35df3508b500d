import { afterEach, describe, expect, it, vi } from 'vitest'
import { hashOf } from '../../src/core/keys/format.ts'
import { disable, edit, revoke } from '../../src/core/keys/lifecycle.ts'
import { keyRing } from '../../src/core/keys/ring.ts'
import { keyWatch } from '../../src/gateway/watch.ts'
import { createLog } from '../../src/log.ts'
import { operator, type Started, start } from '../support/start.ts'

afterEach(() => void vi.useRealTimers())

const SECOND = 1_000

/** A hundred streams of a key and one of another, under a watch whose timer only the test moves. */
async function watched(wanted: { expiresAt?: Date } = {}) {
  const app = await start()
  const found = async (of = {}) =>
    (await app.ctx.store.keys.findByHash(hashOf((await app.key(of)).fullKey, app.ctx.secrets)))!
  const [key, other] = [await found(wanted), await found()]
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const watch = keyWatch(
    app.ctx,
    keyRing(app.ctx),
    [],
    createLog({ level: 'error', write: () => {}, now: app.ctx.now }),
  )
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

  it('end with its expiry also while the database cannot be read', async () => {
    const { app, ended } = await watched({ expiresAt: new Date('2026-06-01T12:01:00Z') })
    await app.ctx.store.close()
    app.advance(60_000)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(ended).toHaveLength(100)
  })
})
