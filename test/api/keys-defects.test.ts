import { describe, expect, it } from 'vitest'
import { issue } from '../../src/core/keys/issuing.ts'
import { removeKey } from '../../src/core/keys/lifecycle.ts'
import { jsonOf } from '../support/json.ts'
import { modern, offering, overStdio, said } from '../support/mcp.ts'
import { operator, start } from '../support/start.ts'

/** What went wrong in the products before this one: each as a visitor would meet it. */

const MIGHTY = { scopes: ['mcp:*', 'keys:read', 'keys:write', 'usage:read', 'audit:read'] }

describe('an expiry', () => {
  it.each(['soon', '2026-02-30', '2027-13-01', '', '2020-01-01', '0d', '2026-06-01T11:59:59Z'])(
    'of %j is refused, and never means "never"',
    async (expires_at) => {
      const { post, key } = await start()
      const { fullKey } = await key(MIGHTY)
      for (const path of ['/api/v1/keys', '/api/v1/keys/import']) {
        const body = { name: 'x', sha256: path.endsWith('import') ? 'ab'.repeat(32) : undefined, expires_at }
        expect(await jsonOf(post(path, body, fullKey))).toMatchObject({
          status: 422,
          errors: [{ field: 'expires_at' }],
        })
      }
    },
  )

  it('on a bare day lasts until the end of it, UTC', async () => {
    const { post, key, get, advance } = await start()
    const { fullKey } = await key(MIGHTY)
    const made = await jsonOf(post('/api/v1/keys', { name: 'x', expires_at: '2026-06-01' }, fullKey))
    expect(made.expires_at).toBe('2026-06-01T23:59:59.999Z')
    advance(12 * 3_600_000 - 2)
    expect((await get('/api/v1/whoami', made.key)).status).toBe(200)
    advance(1)
    expect((await jsonOf(get('/api/v1/whoami', made.key))).code).toBe('expired_key')
  })
})

describe('a key that makes keys', () => {
  const WISHES: [string, object][] = [
    ['more scopes', { scopes: ['mcp:*'] }],
    ['unrestricted use', { type: 'unrestricted' }],
    ['more MCPs', { mcp_access: { mode: 'all' } }],
    ['more tools', { mcp_access: { mode: 'selected', mcps: [{ slug: 'docs' }] } }],
    ['another environment', { environment: 'test' }],
    ['more addresses', { ip_allow: [] }],
    ['other addresses', { ip_allow: ['127.0.0.0/8', '10.0.0.0/8'] }],
    ['a longer life', { expires_at: '2027-01-01' }],
    ['a higher rate', { rate_limit_per_minute: 11 }],
    ['a higher quota', { quota_per_day: 6 }],
    ['use in URLs', { allow_in_url: true }],
  ]
  const bounded = {
    scopes: ['mcp:docs:search', 'keys:write', 'keys:read'],
    mcpAccess: { mode: 'selected' as const, mcps: [{ slug: 'docs', tools: ['search'] }] },
    ipAllow: ['127.0.0.0/8'],
    expiresAt: new Date('2026-07-01'),
    rateLimitPerMinute: 10,
    quotaPerDay: 5,
  }

  it.each(WISHES)('gives no key %s, whichever way', async (_what, wish) => {
    const { post, call, key, workspace } = await start()
    const { fullKey } = await key(bounded)
    const made = await jsonOf(post('/api/v1/keys', { name: 'mine' }, fullKey))
    expect(made).toMatchObject({ scopes: ['mcp:docs:search'], rate_limit_per_minute: 10, quota_per_day: 5 })
    const answers = [
      await post('/api/v1/keys', { name: 'x', ...wish }, fullKey),
      await post('/api/v1/keys/import', { name: 'x', sha256: 'ab'.repeat(32), ...wish }, fullKey),
      ...('environment' in wish ? [] : [await call('PATCH', `/api/v1/keys/${made.id}`, { key: fullKey, body: wish })]),
    ]
    for (const answer of answers) expect((await jsonOf(answer)).code).toBe('forbidden')
    const { key: further } = await key({}, workspace.id)
    for (const verb of ['disable', 'enable', 'revoke', 'rotate', 'finish-rotation'])
      expect((await jsonOf(post(`/api/v1/keys/${further.id}/${verb}`, {}, fullKey))).code).toBe('forbidden')
  })

  it('needs the power by name, whatever else it may', async () => {
    const { post, key } = await start()
    const { fullKey } = await key({ type: 'unrestricted' })
    const { key: other } = await key({ scopes: ['mcp:docs:search'] })
    const asked = ['/keys', '/keys/import', `/keys/${other.id}/rotate`, `/keys/${other.id}/revoke`]
    for (const path of asked)
      expect((await jsonOf(post(`/api/v1${path}`, { name: 'x' }, fullKey))).code).toBe('insufficient_scope')
  })

  it.each([
    'id',
    'workspace_id',
    'owner_id',
    'created_by',
    'created_at',
    'status',
    'revision',
    'request_count',
    'rotation',
  ])('cannot set %s', async (member) => {
    const { post, call, key } = await start()
    const { key: own, fullKey } = await key(MIGHTY)
    const answers = [
      await post('/api/v1/keys', { name: 'x', [member]: 'active' }, fullKey),
      await post('/api/v1/keys/import', { name: 'x', sha256: 'ab'.repeat(32), [member]: 'active' }, fullKey),
      await call('PATCH', `/api/v1/keys/${own.id}`, { key: fullKey, body: { [member]: 'active' } }),
    ]
    for (const answer of answers)
      expect(await jsonOf(answer)).toMatchObject({ status: 422, errors: [{ field: member }] })
  })
})

describe('deleting', () => {
  it('leaves the activity and the audit of a key', async () => {
    const app = await start()
    await offering(app, 'fix', { live: overStdio() })
    const { fullKey: admin } = await app.key(MIGHTY)
    const { key, fullKey } = await app.key()
    await said(
      await app.call('POST', '/mcp/fix', {
        key: fullKey,
        ...modern('tools/call', { name: 'echo', arguments: { text: 'hi' } }),
      }),
    )
    const activity = () => jsonOf(app.get(`/api/v1/keys/${key.id}/activity`, admin))
    await expect.poll(async () => (await activity()).data.length, { timeout: 20_000 }).toBe(1)
    expect((await activity()).data[0]).toMatchObject({
      ...{ key_id: key.id, mcp: 'fix', tool: 'echo', method: 'tools/call', environment: 'live', outcome: 'ok' },
      ...{ status: 200, ip: '127.0.0.1' },
    })
    await removeKey(app.ctx, operator, app.workspace.id, key.id, { confirmed: true })
    const kept = await app.ctx.store.activity.list(
      { workspaceId: app.workspace.id, keyId: key.id },
      { limit: 5, cursor: null },
    )
    expect(kept.items).toHaveLength(1)
    const { data } = await jsonOf(app.get(`/api/v1/audit?subject_id=${key.id}`, admin))
    expect(data.map(({ action }: { action: string }) => action)).toEqual(['key.deleted', 'key.created'])
  })
})

describe('a state that ends a key', () => {
  it('holds on REST and on MCP alike', async () => {
    const app = await start()
    const { fullKey: admin } = await app.key(MIGHTY)
    const { key, fullKey } = await app.key()
    await app.post(`/api/v1/keys/${key.id}/disable`, {}, admin)
    const rest = await app.get('/api/v1/whoami', fullKey)
    const mcp = await app.call('POST', '/mcp', { key: fullKey, ...modern('tools/list') })
    for (const answer of [rest, mcp]) {
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*disabled_key/)
    }
    expect((await said(mcp)).error?.data).toMatchObject({ code: 'disabled_key' })
  })
})

describe('who a key belongs to', () => {
  it('bounds it at the moment of use: rotating and importing too', async () => {
    const { ctx, workspace, person, post, key } = await start()
    const { user, caller } = await person('member')
    const { fullKey } = await key(MIGHTY, workspace.id, caller)
    const { key: own } = await issue(ctx, caller, workspace.id, { name: 'own' })
    const { key: others } = await key()
    const rotate = (id: string) => post(`/api/v1/keys/${id}/rotate`, {}, fullKey)
    expect([(await rotate(own.id)).status, (await jsonOf(rotate(others.id))).code]).toEqual([201, 'forbidden'])
    await ctx.store.members.setRole(workspace.id, user.id, 'member', 'viewer', {
      ...{ chain: workspace.id, at: ctx.now(), actor: operator.actor, action: 'member.role_changed' },
      ...{ subject: { kind: 'user', id: user.id, label: 'x' }, before: null, after: null },
    })
    for (const path of [`/api/v1/keys/${own.id}/finish-rotation`, '/api/v1/keys/import', '/api/v1/keys'])
      expect((await jsonOf(post(path, { name: 'x', sha256: 'ab'.repeat(32) }, fullKey))).code).toBe('forbidden')
  })
})

describe('texts', () => {
  it.each([
    ['description', { description: 'ä'.repeat(1001) }, '/api/v1/keys'],
    ['name', { name: 'ä'.repeat(101) }, '/api/v1/keys'],
    ['reason', { reason: 'ä'.repeat(501) }, 'revoke'],
  ])('have bounds: %s', async (field, body, path) => {
    const { ctx, workspace, post, key } = await start()
    const { key: own, fullKey } = await key(MIGHTY)
    const address = path === 'revoke' ? `/api/v1/keys/${own.id}/revoke` : path
    const sent = path === 'revoke' ? body : { name: 'x', ...body }
    expect(await jsonOf(post(address, sent, fullKey))).toMatchObject({ status: 422, errors: [{ field }] })
    if (path !== 'revoke')
      await expect(issue(ctx, operator, workspace.id, { name: 'x', ...body })).rejects.toMatchObject({
        errors: [{ field }],
      })
  })
})

describe('a brand', () => {
  it('that was changed leaves the keys before it valid, and begins those after it', async () => {
    const app = await start({ env: { CLAVIGER_KEY_PREFIX: 'tp' } })
    const { key, fullKey } = await app.key()
    expect(fullKey).toMatch(/^tp_live_[0-9A-Za-z]{48}$/)
    app.ctx.brand = 'acme'
    expect((await app.get('/api/v1/whoami', fullKey)).status).toBe(200)
    const { fullKey: admin } = await app.key(MIGHTY)
    const { key: rotated } = await jsonOf(app.post(`/api/v1/keys/${key.id}/rotate`, {}, admin))
    expect([admin.slice(0, 10), rotated.slice(0, 10)]).toEqual(['acme_live_', 'acme_live_'])
  })
})
