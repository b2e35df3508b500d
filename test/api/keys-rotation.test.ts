import { describe, expect, it, vi } from 'vitest'
import { disable, edit, enable, revoke } from '../../src/core/keys/lifecycle.ts'
import { jsonOf } from '../support/json.ts'
import { olderClient } from '../support/mcp.ts'
import { operator, start } from '../support/start.ts'

const DAY = 86_400_000
const MIGHTY = { scopes: ['mcp:*', 'keys:read', 'keys:write'] }

async function world(wanted = {}) {
  const app = await start()
  const { fullKey: admin } = await app.key(MIGHTY)
  const { key, fullKey: old } = await app.key({ name: 'laptop', ...wanted })
  const path = `/api/v1/keys/${key.id}`
  const shown = () => jsonOf(app.get(path, admin))
  const rotate = async (body: object = {}) => jsonOf(app.post(`${path}/rotate`, body, admin))
  const codeOf = async (secret: string) => (await jsonOf(app.get('/api/v1/whoami', secret))).code ?? 'ok'
  return { ...app, app, workspace: app.workspace, admin, key, old, path, shown, rotate, codeOf }
}

/** What the server has noted of uses is written a moment after them. */
function eventually<T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  const fitting = async () => {
    const value = await read()
    return fits(value) && value
  }
  return vi.waitUntil(fitting, { timeout: 20_000, interval: 50 }) as Promise<T>
}

describe('rotating a key', () => {
  it('answers 201 with a new secret once, and both work', async () => {
    const { rotate, shown, codeOf, old, key, post, path, admin } = await world()
    const response = await post(`${path}/rotate`, {}, admin)
    const { key: fullKey, ...rest } = await jsonOf(response)
    expect([response.status, response.headers.get('location')]).toEqual([201, path])
    expect(rest).toMatchObject({
      id: key.id,
      hint: `${fullKey.slice(0, 17)}…${fullKey.slice(-4)}`,
      rotation: { overlap_ends_at: '2026-06-02T12:00:00.000Z', old_last_used_at: null },
    })
    expect(response.headers.get('etag')).toMatch(/^"2\./)
    expect([await codeOf(old), await codeOf(fullKey)]).toEqual(['ok', 'ok'])
    expect(await shown()).toMatchObject({ hint: rest.hint, status: 'active' })
    expect(await rotate()).toMatchObject({ code: 'conflict' })
  })

  it.each([
    ['a second before', 3599_000, 'ok'],
    ['a millisecond before', 3599_999, 'ok'],
    ['at the very instant', 3600_000, 'revoked_key'],
  ])('leaves the old secret %s its end', async (_when, ms, code) => {
    const { rotate, shown, codeOf, old, advance } = await world()
    const { key: fullKey } = await rotate({ overlap_seconds: 3600 })
    advance(ms)
    expect([await codeOf(old), await codeOf(fullKey)]).toEqual([code, 'ok'])
    expect((await shown()).rotation === null).toBe(code !== 'ok')
  })

  it('ends the old secret at once without an overlap', async () => {
    const { rotate, codeOf, old } = await world()
    const { key: fullKey, rotation } = await rotate({ overlap_seconds: 0 })
    expect([await codeOf(old), await codeOf(fullKey), rotation]).toEqual(['revoked_key', 'ok', null])
    const { key: third } = await rotate({ overlap_seconds: 0 })
    expect([await codeOf(old), await codeOf(fullKey), await codeOf(third)]).toEqual([
      'revoked_key',
      'revoked_key',
      'ok',
    ])
  })

  it.each([-1, 2_592_001, 1.5, 'long'])('refuses an overlap of %s', async (overlap_seconds) => {
    const { rotate } = await world()
    expect(await rotate({ overlap_seconds })).toMatchObject({ status: 422, errors: [{ field: 'overlap_seconds' }] })
  })

  it('says of a second rotation when the first ends, and how to end it', async () => {
    const { rotate } = await world()
    await rotate({ overlap_seconds: 2_592_000 })
    const { status, detail } = await rotate()
    expect([status, detail]).toEqual([409, expect.stringMatching(/2026-07-01T12:00:00\.000Z.*finish-rotation/)])
  })

  it('may be done again once the overlap is over', async () => {
    const { rotate, advance, codeOf, old } = await world()
    const { key: second } = await rotate()
    advance(DAY)
    const { key: third } = await rotate()
    expect([await codeOf(old), await codeOf(second), await codeOf(third)]).toEqual(['revoked_key', 'ok', 'ok'])
  })

  it('ends at once when it is finished', async () => {
    const { rotate, post, path, admin, codeOf, old, shown } = await world()
    const { key: fullKey } = await rotate()
    const finished = await jsonOf(post(`${path}/finish-rotation`, {}, admin))
    expect([finished.rotation, await codeOf(old), await codeOf(fullKey)]).toEqual([null, 'revoked_key', 'ok'])
    const { status } = await post(`${path}/finish-rotation`, {}, admin)
    expect([status, (await shown()).rotation]).toEqual([200, null])
    expect((await rotate()).rotation).not.toBeNull()
  })

  it('does not disturb anything else of the key', async () => {
    const { rotate, shown } = await world({ description: 'of Ana', ipAllow: ['127.0.0.1'], quotaPerDay: 7 })
    const { hint: _h, rotation: _r, ...before } = await shown()
    await rotate()
    const { hint: _hint, rotation: _rotation, ...after } = await shown()
    expect(after).toEqual(before)
  })
})

describe('the states of a key that is rotated', () => {
  it.each([
    ['revoked', (app: World) => revoke(app.ctx, operator, app.workspace.id, app.key.id, null), /revoked/],
    ['expired', (app: World) => expired(app), /expired.*new end/],
  ] as const)('%s: refused', async (_state, spoil, says) => {
    const app = await world()
    await spoil(app)
    const { code, detail } = await app.rotate()
    expect([code, detail]).toEqual(['conflict', expect.stringMatching(says)])
  })

  it('disabled: the new secret waits with the key', async () => {
    const app = await world()
    await disable(app.ctx, operator, app.workspace.id, app.key.id)
    const { key: fullKey } = await app.rotate()
    expect(await app.codeOf(fullKey)).toBe('disabled_key')
    await enable(app.ctx, operator, app.workspace.id, app.key.id)
    expect(await app.codeOf(fullKey)).toBe('ok')
  })

  it('scheduled: the new secret waits with the key', async () => {
    const app = await world({ notBefore: new Date('2026-06-03') })
    const { key: fullKey } = await app.rotate()
    expect(await app.codeOf(fullKey)).toBe('not_yet_valid')
    app.advance(2 * DAY)
    expect(await app.codeOf(fullKey)).toBe('ok')
  })

  it('revoked in the overlap: both secrets end, and no rotation is shown', async () => {
    const app = await world()
    const { key: fullKey } = await app.rotate()
    await revoke(app.ctx, operator, app.workspace.id, app.key.id, null)
    expect([await app.codeOf(app.old), await app.codeOf(fullKey)]).toEqual(['revoked_key', 'revoked_key'])
    expect((await app.shown()).rotation).toBeNull()
  })
})

type World = Awaited<ReturnType<typeof world>>

async function expired(app: World): Promise<void> {
  await edit(app.ctx, operator, app.workspace.id, app.key.id, { expiresAt: new Date(app.ctx.now().getTime() + 1) })
  app.advance(1)
}

describe('the last use of the old secret', () => {
  it('begins with the last use of the key, and is told apart from the new one’s', async () => {
    const { codeOf, old, rotate, shown, advance, ctx } = await world()
    const firstUse = ctx.now().toISOString()
    await codeOf(old)
    await eventually(shown, ({ last_used_at }) => last_used_at === firstUse)
    advance(1000)
    const { key: fullKey, rotation } = await rotate()
    expect(rotation.old_last_used_at).toBe(firstUse)
    advance(1000)
    const laterUse = ctx.now().toISOString()
    await codeOf(fullKey)
    const used = await eventually(shown, ({ last_used_at }) => last_used_at === laterUse)
    expect(used.rotation.old_last_used_at).toBe(firstUse)
    advance(1000)
    const lateUse = ctx.now().toISOString()
    await codeOf(old)
    await eventually(shown, ({ rotation }) => rotation.old_last_used_at === lateUse)
  })

  it('counts calls over MCP too', async () => {
    const app = await world()
    await app.rotate()
    await olderClient(app.app, '/mcp', app.old)
    await eventually(app.shown, ({ rotation }) => rotation.old_last_used_at !== null)
  })
})

describe('streams', () => {
  async function listening() {
    const app = await world()
    const opened = await (await olderClient(app.app, '/mcp', app.old)).listen()
    const { key: fullKey } = await app.rotate({ overlap_seconds: 3600 })
    const renewed = await (await olderClient(app.app, '/mcp', fullKey)).listen()
    const ended: string[] = []
    const ends = opened.text().then(() => ended.push('old'))
    const endsToo = renewed.text().then(() => ended.push('new'))
    return { app, ended, ends, endsToo }
  }

  it('of the old secret end with the overlap, those of the new one go on', async () => {
    const { app, ended, ends, endsToo } = await listening()
    app.advance(3600_000)
    await ends
    expect(ended).toEqual(['old'])
    await revoke(app.ctx, operator, app.workspace.id, app.key.id, null)
    await endsToo
  })

  it('of the old secret end when the rotation is finished', async () => {
    const { app, ended, ends, endsToo } = await listening()
    await app.post(`${app.path}/finish-rotation`, {}, app.admin)
    await ends
    expect(ended).toEqual(['old'])
    await revoke(app.ctx, operator, app.workspace.id, app.key.id, null)
    await endsToo
  })

  it('survive a rotation and a new name, and end with a new bound', async () => {
    const { app, ended, ends, endsToo } = await listening()
    await edit(app.ctx, operator, app.workspace.id, app.key.id, { name: 'desktop' })
    const other = await (await olderClient(app.app, '/mcp', app.admin)).listen()
    expect(ended).toEqual([])
    await edit(app.ctx, operator, app.workspace.id, app.key.id, { scopes: ['mcp:docs:search'] })
    await Promise.all([ends, endsToo])
    expect(ended.sort()).toEqual(['new', 'old'])
    await other.body!.cancel()
  })
})

describe('who may rotate', () => {
  it('a key of its own reach and below, itself included', async () => {
    const app = await start()
    const { key, fullKey } = await app.key(MIGHTY)
    const { status } = await app.post(`/api/v1/keys/${key.id}/rotate`, {}, fullKey)
    expect(status).toBe(201)
  })

  it('no key that reaches further, or stands in another environment', async () => {
    const app = await start()
    const { fullKey } = await app.key({ scopes: ['mcp:docs:search', 'keys:write'] })
    const { key: further } = await app.key()
    const { key: test } = await app.key({ environment: 'test', scopes: ['mcp:docs:search'] })
    const codes = [further, test].map(({ id }) => jsonOf(app.post(`/api/v1/keys/${id}/rotate`, {}, fullKey)))
    expect((await Promise.all(codes)).map(({ code }) => code)).toEqual(['forbidden', 'not_found'])
  })

  it('is answered once under an Idempotency-Key, without the secret the second time', async () => {
    const { call, path, admin } = await world()
    const headers = { 'idempotency-key': 'rotate-1' }
    const first = await call('POST', `${path}/rotate`, { key: admin, headers, body: {} })
    const again = await call('POST', `${path}/rotate`, { key: admin, headers, body: {} })
    const [one, two] = [await jsonOf(first), await jsonOf(again)]
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 201, 'true'])
    expect([two.id, two.hint, two.key, two.note]).toEqual([one.id, one.hint, undefined, expect.any(String)])
  })

  it('asks for the revision that was read', async () => {
    const { call, path, admin } = await world()
    const headers = { 'if-match': '"7"' }
    expect((await call('POST', `${path}/rotate`, { key: admin, headers, body: {} })).status).toBe(412)
  })
})
