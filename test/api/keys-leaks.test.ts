import { describe, expect, it } from 'vitest'
import { newFullKey } from '../../src/core/keys/format.ts'
import { disable, revoke } from '../../src/core/keys/lifecycle.ts'
import { rotate } from '../../src/core/keys/rotation.ts'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { jsonOf } from '../support/json.ts'
import { operator, robot, start } from '../support/start.ts'

async function world() {
  const app = await start()
  const { fullKey: admin } = await app.key({ scopes: ['mcp:*', 'keys:read', 'audit:read'] })
  const report = async (keys: unknown, headers = {}) => {
    const response = await app.call('POST', '/api/v1/keys/report-leak', { body: { keys }, headers })
    return { status: response.status, headers: response.headers, body: await jsonOf(response) }
  }
  const codeOf = async (key: string) => (await jsonOf(app.get('/api/v1/whoami', key))).code ?? 'ok'
  return { ...app, workspace: app.workspace, admin, report, codeOf }
}

describe('a reported leak', () => {
  it('revokes at once, with its reason, and is audited and logged', async () => {
    const { key: issue, report, codeOf, get, admin, logs } = await world()
    const { key, fullKey } = await issue({ name: 'in a gist' })
    expect(await report([fullKey])).toMatchObject({ status: 202, body: { status: 'received' } })
    expect(await codeOf(fullKey)).toBe('revoked_key')
    expect(await jsonOf(get(`/api/v1/keys/${key.id}`, admin))).toMatchObject({
      status: 'revoked',
      revoked_reason: 'leaked',
    })
    const { data } = await jsonOf(get(`/api/v1/audit?subject_id=${key.id}&action=key.revoked`, admin))
    expect(data).toMatchObject([
      { actor: { kind: 'system', label: 'leak report', address: '127.0.0.1' }, after: { revoked_reason: 'leaked' } },
    ])
    const told = logs.filter((line) => line.includes('leaked key'))
    expect([told.length, told.join().includes(key.id), logs.join().includes(fullKey)]).toEqual([1, true, false])
  })

  it('answers alike whatever was found', async () => {
    const { key: issue, report } = await world()
    const { fullKey } = await issue()
    const answers = [
      await report([fullKey]),
      await report([fullKey]),
      await report([newFullKey('clv', 'live').reveal()]),
      await report(['what is this']),
    ]
    const seen = answers.map(({ status, body, headers }) => {
      const kept = [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name))
      return JSON.stringify([status, body, kept])
    })
    expect(new Set(seen).size).toBe(1)
  })

  it('is taken of every workspace, pasted as it may be, many at once', async () => {
    const { ctx, key: issue, report, codeOf } = await world()
    const other = await createWorkspace(ctx, robot, null, 'Other')
    const [one, two, three] = [await issue(), await issue({}, other.id), await issue({ environment: 'test' })]
    await report([` Bearer ${one.fullKey}\n`, `"${two.fullKey}"`, three.fullKey, three.fullKey, 'nothing'])
    for (const { fullKey } of [one, two, three]) expect(await codeOf(fullKey)).toBe('revoked_key')
  })

  it('takes either secret in the overlap, and not one that has ended', async () => {
    const { ctx, workspace, key: issue, report, codeOf, advance } = await world()
    const make = async () => {
      const { key, fullKey: old } = await issue()
      const { fullKey } = await rotate(ctx, operator, workspace.id, key.id, 60)
      return { old, fresh: fullKey.reveal() }
    }
    const [one, two, three] = [await make(), await make(), await make()]
    await report([one.old, two.fresh])
    for (const { old, fresh } of [one, two])
      expect([await codeOf(old), await codeOf(fresh)]).toEqual(['revoked_key', 'revoked_key'])
    advance(60_000)
    await report([three.old])
    expect([await codeOf(three.old), await codeOf(three.fresh)]).toEqual(['revoked_key', 'ok'])
  })

  it('revokes a key that might work again, and leaves the reason of one that cannot', async () => {
    const { ctx, workspace, key: issue, report, get, admin } = await world()
    const [off, gone] = [await issue(), await issue()]
    await disable(ctx, operator, workspace.id, off.key.id)
    await revoke(ctx, operator, workspace.id, gone.key.id, 'laptop lost')
    await report([off.fullKey, gone.fullKey])
    const reasons = [off, gone].map(
      async ({ key }) => (await jsonOf(get(`/api/v1/keys/${key.id}`, admin))).revoked_reason,
    )
    expect(await Promise.all(reasons)).toEqual(['leaked', 'laptop lost'])
  })

  it.each([
    ['none', []],
    ['too many', Array.from({ length: 101 }, () => 'x')],
    ['an endless one', ['x'.repeat(1001)]],
    ['no list', 'x'],
    ['numbers', [7]],
  ])('refuses %s', async (_what, keys) => {
    const { report } = await world()
    expect(await report(keys)).toMatchObject({ status: 422, body: { code: 'validation_failed' } })
  })

  it('is limited for each address by the hour', async () => {
    const { report, advance, key: issue, codeOf } = await world()
    await Promise.all(Array.from({ length: 60 }, () => report(['x'])))
    const { fullKey } = await issue()
    const refused = await report([fullKey])
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '3600',
    ])
    expect(refused.headers.get('ratelimit')).toBe('"reports";r=0;t=3600')
    expect(await codeOf(fullKey)).toBe('ok')
    advance(3600_000)
    expect((await report([fullKey])).status).toBe(202)
    expect(await codeOf(fullKey)).toBe('revoked_key')
  })

  it('leaves the ring alone when nothing was found', async () => {
    const { ctx, report } = await world()
    const before = ctx.store.version()
    await report(['nothing of ours'])
    expect(ctx.store.version()).toBe(before)
  })
})

describe('a key that revokes itself', () => {
  it('needs no power for it', async () => {
    const { key: issue, post, codeOf, get, admin } = await world()
    const { key, fullKey } = await issue({ scopes: ['mcp:docs:search'] })
    const body = await jsonOf(post(`/api/v1/keys/${key.id}/revoke`, { reason: 'found in a log' }, fullKey))
    expect(body).toMatchObject({ status: 'revoked', revoked_reason: 'found in a log' })
    expect(await codeOf(fullKey)).toBe('revoked_key')
    const { data } = await jsonOf(get(`/api/v1/audit?subject_id=${key.id}&action=key.revoked`, admin))
    expect(data).toMatchObject([{ actor: { kind: 'key', id: key.id } }])
  })

  it('can do it although its owner has left, and do nothing else', async () => {
    const { ctx, workspace, person, key: issue, post } = await world()
    const { caller, user } = await person('member')
    const { key, fullKey } = await issue({ scopes: ['mcp:*', 'keys:write'] }, workspace.id, caller)
    await ctx.store.members.setRole(workspace.id, user.id, 'member', 'viewer', {
      ...{ chain: workspace.id, at: ctx.now(), actor: robot, action: 'member.role_changed', before: null, after: null },
      subject: { kind: 'user', id: user.id, label: 'x' },
    })
    const path = `/api/v1/keys/${key.id}`
    expect((await post(`${path}/disable`, {}, fullKey)).status).toBe(403)
    expect((await post(`${path}/rotate`, {}, fullKey)).status).toBe(403)
    expect((await post(`${path}/revoke`, {}, fullKey)).status).toBe(200)
  })

  it('can end no other key', async () => {
    const { key: issue, post } = await world()
    const [own, other] = [await issue({ scopes: ['mcp:*'] }), await issue({ scopes: ['mcp:*'] })]
    expect(await jsonOf(post(`/api/v1/keys/${other.key.id}/revoke`, {}, own.fullKey))).toMatchObject({
      code: 'insufficient_scope',
    })
  })
})
