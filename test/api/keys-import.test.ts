import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { importKey } from '../../src/core/keys/importing.ts'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { jsonOf } from '../support/json.ts'
import { modern, said } from '../support/mcp.ts'
import { robot, start } from '../support/start.ts'

const MIGHTY = { scopes: ['mcp:*', 'keys:read', 'keys:write'] }
const sha256 = (text: string, as: 'hex' | 'base64' | 'base64url' = 'hex') =>
  createHash('sha256').update(text).digest(as) + (as === 'base64url' ? '=' : '')

async function world() {
  const app = await start()
  const { fullKey: admin } = await app.key(MIGHTY)
  const take = async (body: object, key = admin) => {
    const response = await app.post('/api/v1/keys/import', body, key)
    return { ...(await jsonOf(response)), status: response.status }
  }
  const codeOf = async (key: string) => (await jsonOf(app.get('/api/v1/whoami', key))).code ?? 'ok'
  return { ...app, workspace: app.workspace, admin, take, codeOf }
}

describe('a key from another system', () => {
  it.each([
    ['tp_1fE9sW2kQ8', 'hex'],
    ['pmcp_01a8f0c5e2b34d56', 'base64'],
    ['6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'base64url'],
    ['sk_live_51H8~x/+=.$!', 'hex'],
    ['x'.repeat(512), 'hex'],
  ] as const)('works on REST and MCP once it is imported: %s', async (foreign, as) => {
    const { take, codeOf, call } = await world()
    expect(await codeOf(foreign)).toBe('malformed_key')
    const made = await take({ name: 'moved', sha256: sha256(foreign, as), hint: `${foreign.slice(0, 4)}…` })
    expect(made).toMatchObject({ status: 201, hint: `${foreign.slice(0, 4)}…`, environment: 'live', scopes: ['mcp:*'] })
    expect(made).not.toHaveProperty('key')
    expect(await codeOf(foreign)).toBe('ok')
    const listed = await said(await call('POST', '/mcp', { key: foreign, ...modern('tools/list') }))
    expect(listed.result).toBeDefined()
    expect(await codeOf(`${foreign.slice(0, -1)}?`)).toBe(
      foreign.startsWith('sk_live_') ? 'malformed_key' : 'unknown_key',
    )
  })

  it('of our own shape works too, and has no more than the wish names', async () => {
    const { take, codeOf } = await world()
    const other = await start()
    const { fullKey } = await other.key()
    expect(await codeOf(fullKey)).toBe('unknown_key')
    expect(await take({ name: 'x', sha256: sha256(fullKey), environment: 'test' })).toMatchObject({ code: 'forbidden' })
    await take({ name: 'x', sha256: sha256(fullKey), scopes: ['mcp:docs:search'] })
    expect(await codeOf(fullKey)).toBe('ok')
  })

  it('goes through the life of a key: disabled, rotated into ours, revoked, deleted', async () => {
    const { take, codeOf, post, call, admin } = await world()
    const foreign = 'tp_1fE9sW2kQ8'
    const { id } = await take({ name: 'moved', sha256: sha256(foreign) })
    const path = `/api/v1/keys/${id}`
    await post(`${path}/disable`, {}, admin)
    expect(await codeOf(foreign)).toBe('disabled_key')
    await post(`${path}/enable`, {}, admin)
    const { key: ours, hint } = await jsonOf(post(`${path}/rotate`, {}, admin))
    expect([await codeOf(foreign), await codeOf(ours), hint.slice(0, 9)]).toEqual(['ok', 'ok', 'clv_live_'])
    await post(`${path}/finish-rotation`, {}, admin)
    expect([await codeOf(foreign), await codeOf(ours)]).toEqual(['revoked_key', 'ok'])
    await call('DELETE', `${path}?confirm=recent_use`, { key: admin })
    expect([await codeOf(foreign), await codeOf(ours)]).toEqual(['unknown_key', 'unknown_key'])
  })

  it.each(['clv_live_cutoff', 'lv_test_cutoff', 'live_cutoff', 'CLV_LIVE_x', 'has space', 'x'.repeat(513)])(
    'is never thought of for %s',
    async (text) => {
      const { take, codeOf } = await world()
      await take({ name: 'x', sha256: sha256('tp_x') })
      expect(await codeOf(text)).toBe('malformed_key')
    },
  )

  it('is spoken of elsewhere as one that never was, whatever its shape', async () => {
    const { ctx, key, take, post, admin } = await world()
    const other = await createWorkspace(ctx, robot, null, 'Other')
    const { fullKey: elsewhere } = await key(MIGHTY, other.id)
    for (const [held, never] of [
      ['tp_held', 'tp_never'],
      ['sk_live_held', 'sk_live_never'],
    ] as const) {
      await take({ name: 'x', sha256: sha256(held) }, elsewhere)
      const judged = async (text: string) => await jsonOf(post('/api/v1/keys/verify', { key: text }, admin))
      expect(await judged(held)).toEqual(await judged(never))
      const inOther = await jsonOf(post('/api/v1/keys/verify', { key: held }, elsewhere))
      expect(inOther).toMatchObject({ valid: true })
    }
  })

  it('has a hint that gives nothing of it away, or the one that was given', async () => {
    const { take } = await world()
    expect(await take({ name: 'x', sha256: sha256('a') })).toMatchObject({ hint: 'imported' })
    expect(await take({ name: 'x', sha256: sha256('b'), hint: '  b…b ' })).toMatchObject({ hint: 'b…b' })
  })

  it.each([
    ['a SHA-256 that is none', { sha256: 'abc' }, 'sha256'],
    ['another digest', { sha256: createHash('sha512').update('x').digest('base64') }, 'sha256'],
    ['32 random bytes, which are a key', { sha256: createHash('sha256').update('x').digest('base64url') }, 'sha256'],
    ['a hint of two lines', { sha256: sha256('x'), hint: 'a\nb' }, 'hint'],
    ['a long hint', { sha256: sha256('x'), hint: 'a'.repeat(41) }, 'hint'],
    ['the key itself as hint', { sha256: sha256('tp_secret'), hint: 'tp_secret' }, 'hint'],
    ['the key in quotes as hint', { sha256: sha256('tp_secret'), hint: '"tp_secret"' }, 'hint'],
    ['the key itself as name', { sha256: sha256('tp_secret'), name: 'tp_secret' }, 'name'],
    ['the key in the name', { sha256: sha256('tp_secret'), name: 'laptop; tp_secret' }, 'name'],
    ['the key in the description', { sha256: sha256('tp_secret'), description: 'is Bearer tp_secret,' }, 'description'],
    ['a key of ours in the name', { sha256: sha256('x'), name: `was clv_live_${'0'.repeat(42)}23sQRC` }, 'name'],
    ['the full key', { sha256: sha256('x'), key: 'tp_secret' }, 'key'],
    ['a past end', { sha256: sha256('x'), expires_at: '2020-01-01' }, 'expires_at'],
    ['an owner', { sha256: sha256('x'), owner_id: 'usr_1' }, 'owner_id'],
  ])('refuses %s', async (_what, wish, field) => {
    const { take } = await world()
    expect(await take({ name: 'x', ...wish })).toMatchObject({ code: 'validation_failed', errors: [{ field }] })
  })

  it('is refused twice in one sentence, whoever has it', async () => {
    const app = await world()
    const other = await createWorkspace(app.ctx, robot, null, 'Other')
    const { fullKey: elsewhere } = await app.key(MIGHTY, other.id)
    await app.take({ name: 'x', sha256: sha256('tp_1') })
    const [own, foreign] = [
      await app.take({ name: 'y', sha256: sha256('tp_1') }),
      await app.take({ name: 'y', sha256: sha256('tp_1') }, elsewhere),
    ]
    expect([own.status, own.code, own.detail]).toEqual([409, 'conflict', foreign.detail])
    const { data } = await jsonOf(app.get('/api/v1/keys?search=y', elsewhere))
    expect(data.map(({ name }: { name: string }) => name)).not.toContain('y')
  })
})

describe('what a key may import', () => {
  it('is nothing while its owner is no admin', async () => {
    const { take, key, workspace, person, ctx } = await world()
    const { caller } = await person('member')
    const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] }, workspace.id, caller)
    expect(await take({ name: 'x', sha256: sha256('x') }, fullKey)).toMatchObject({ status: 403, code: 'forbidden' })
    await expect(importKey(ctx, caller, workspace.id, { name: 'x', sha256: sha256('x') })).rejects.toMatchObject({
      code: 'forbidden',
    })
  })

  it('reaches no further than itself', async () => {
    const { take, key } = await world()
    const { fullKey } = await key({ scopes: ['mcp:docs:search', 'keys:write'], rateLimitPerMinute: 10 })
    const wish = { name: 'x', sha256: sha256('tp_x') }
    expect(await take({ ...wish, scopes: ['mcp:*'] }, fullKey)).toMatchObject({ code: 'forbidden' })
    expect(await take({ ...wish, rate_limit_per_minute: 11 }, fullKey)).toMatchObject({ code: 'forbidden' })
    expect(await take(wish, fullKey)).toMatchObject({ scopes: ['mcp:docs:search'], rate_limit_per_minute: 10 })
  })
})

describe('reading for strangers', () => {
  it('is not done for what is no key of ours while nothing was imported', async () => {
    const { ctx, codeOf } = await world()
    const read: string[] = []
    const { findByHash } = ctx.store.keys
    ctx.store.keys.findByHash = (hash) => {
      read.push(hash)
      return findByHash(hash)
    }
    expect(await codeOf('tp_something')).toBe('malformed_key')
    expect(read).toEqual([])
  })

  it('is done once for each text, and never for one that no header carries whole', async () => {
    const { ctx, codeOf, take } = await world()
    await take({ name: 'x', sha256: sha256('tp_known') })
    const read: string[] = []
    const { findByHash } = ctx.store.keys
    ctx.store.keys.findByHash = (hash) => {
      read.push(hash)
      return findByHash(hash)
    }
    for (let i = 0; i < 3; i++) expect(await codeOf('tp_something')).toBe('unknown_key')
    expect(await codeOf('x'.repeat(513))).toBe('malformed_key')
    expect(await codeOf('with space')).toBe('malformed_key')
    expect(read).toHaveLength(1)
  })
})
