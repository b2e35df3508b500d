import { describe, expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { start } from '../support/start.ts'

async function managed() {
  const app = await start()
  const { fullKey, key } = await app.key({ name: 'manager', scopes: ['mcp:*', 'keys:read', 'keys:write'] })
  const create = (name: string | undefined, body: unknown, by = fullKey) =>
    app.call('POST', '/api/v1/keys', { body, key: by, headers: name === undefined ? {} : { 'idempotency-key': name } })
  const count = async () => (await jsonOf(app.get('/api/v1/keys?limit=200', fullKey))).data.length - 1
  return { ...app, fullKey, manager: key, create, count }
}

describe('an Idempotency-Key', () => {
  it('brings the same answer again, without the secret', async () => {
    const { create, count } = await managed()
    const first = await create('one', { name: 'a' })
    const made = await jsonOf(first)
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null])
    const again = await create('one', { name: 'a' })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    const { key, ...rest } = made
    expect(key).toMatch(/^clv_live_/)
    expect(await jsonOf(again)).toEqual({ ...rest, note: expect.stringContaining('first answer alone') })
    expect(await count()).toBe(1)
  })

  it('keeps no key in the store', async () => {
    const { create, ctx, manager } = await managed()
    const { key } = await jsonOf(create('one', { name: 'a' }))
    const known = await ctx.store.answers.begin(manager.id, 'one', 'any', ctx.now())
    expect(known?.body).toContain('"name":"a"')
    expect(known?.body).not.toContain(key)
    expect(known?.body).not.toContain(key.slice(-48, -6))
  })

  it('belongs to one request', async () => {
    const { create, count } = await managed()
    await create('one', { name: 'a' })
    const other = await create('one', { name: 'b' })
    expect(await jsonOf(other)).toMatchObject({ status: 409, code: 'conflict' })
    expect(await count()).toBe(1)
  })

  it('belongs to one calling key', async () => {
    const { create, key, count } = await managed()
    const { fullKey: second } = await key({ name: 'second', scopes: ['mcp:*', 'keys:write'] })
    await create('one', { name: 'a' })
    const response = await create('one', { name: 'a' }, second)
    expect([response.status, response.headers.get('idempotency-replayed')]).toEqual([201, null])
    expect(await count()).toBe(3)
  })

  it('is remembered for 24 hours', async () => {
    const { create, count, advance } = await managed()
    await create('one', { name: 'a' })
    advance(86_400_000)
    expect((await create('one', { name: 'a' })).headers.get('idempotency-replayed')).toBe('true')
    advance(1)
    expect((await create('one', { name: 'a' })).headers.get('idempotency-replayed')).toBeNull()
    expect(await count()).toBe(2)
  })

  it('replays what has passed meanwhile', async () => {
    const { create, advance } = await managed()
    const body = { name: 'a', expires_at: '2026-06-01T13:00:00Z' }
    await create('one', body)
    advance(7_200_000)
    expect((await create('one', body)).headers.get('idempotency-replayed')).toBe('true')
  })

  it('is free again after a refusal', async () => {
    const { create, count } = await managed()
    expect((await create('one', { name: '' })).status).toBe(422)
    expect((await create('one', { name: 'a', environment: 'test' })).status).toBe(403)
    expect((await create('one', { name: 'a' })).status).toBe(201)
    expect(await count()).toBe(1)
  })

  it('waits for nobody: while the first runs, the others are told', async () => {
    const { create, ctx, count } = await managed()
    const add = ctx.store.keys.add
    let finish = () => {}
    const running = new Promise<void>((resolve) => {
      ctx.store.keys.add = async (...args) => {
        resolve()
        await new Promise<void>((done) => {
          finish = done
        })
        return add(...args)
      }
    })
    const first = create('one', { name: 'a' })
    await running
    const second = await create('one', { name: 'a' })
    expect(await jsonOf(second)).toMatchObject({ status: 409, code: 'conflict' })
    finish()
    expect((await first).status).toBe(201)
    expect((await create('one', { name: 'a' })).headers.get('idempotency-replayed')).toBe('true')
    expect(await count()).toBe(1)
  })

  it('makes one key of fifty requests at once', async () => {
    const { create, count } = await managed()
    const responses = await Promise.all(Array.from({ length: 50 }, () => create('one', { name: 'a' })))
    const fresh = responses.filter(({ status, headers }) => status === 201 && !headers.get('idempotency-replayed'))
    expect(fresh).toHaveLength(1)
    for (const response of responses) expect([201, 409]).toContain(response.status)
    expect(await count()).toBe(1)
  })

  it('is judged after the scope', async () => {
    const { create, call, fullKey, manager, key } = await managed()
    await create('one', { name: 'a' })
    const { fullKey: operatorKey } = await key({ scopes: ['mcp:*', 'keys:read', 'keys:write'] })
    await call('PATCH', `/api/v1/keys/${manager.id}`, { body: { scopes: ['mcp:*', 'keys:read'] }, key: operatorKey })
    expect(await jsonOf(create('one', { name: 'a' }, fullKey))).toMatchObject({ code: 'insufficient_scope' })
  })

  it.each(['x'.repeat(256), 'é', ' '])('%j is none', async (name) => {
    const { create, count } = await managed()
    const response = await create(name, { name: 'a' })
    expect([response.status, await count()]).toEqual([422, 0])
  })

  it('of 255 characters is fine', async () => {
    const { create } = await managed()
    expect((await create('x'.repeat(255), { name: 'a' })).status).toBe(201)
  })

  it('that is left out makes a key each time', async () => {
    const { create, count } = await managed()
    await create(undefined, { name: 'a' })
    await create(undefined, { name: 'a' })
    expect(await count()).toBe(2)
  })
})
