import { describe, expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { type Started, start } from '../support/start.ts'

const FULL = /^clv_live_[0-9A-Za-z]{48}$/

/** The program with a key that manages keys, and REST called with it. */
async function managed(options?: Parameters<typeof start>[0]) {
  const app = await start(options)
  const { key, fullKey } = await app.key({ name: 'manager', scopes: ['mcp:*', 'keys:read', 'keys:write'] })
  const ask = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const response = await app.call(method, `/api/v1${path}`, { key: fullKey, body, headers })
    const text = await response.text()
    return { response, status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null }
  }
  return { ...app, app, manager: key, fullKey, ask }
}

const statusOf = async ({ get }: Pick<Started, 'get'>, key: string) => (await get('/api/v1/whoami', key)).status

describe('creating', () => {
  it('answers with the key once', async () => {
    const { ask, get } = await managed()
    const { status, headers, body } = await ask('POST', '/keys', {
      name: ' laptop ',
      description: 'Ana',
      expires_at: '2026-12-31',
    })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/api/v1/keys/${body.id}`)
    expect(body.key).toMatch(FULL)
    expect(body).toMatchObject({
      name: 'laptop',
      description: 'Ana',
      environment: 'live',
      type: 'restricted',
      scopes: ['mcp:*'],
      mcp_access: { mode: 'all' },
      ip_allow: [],
      rate_limit_per_minute: 600,
      quota_per_day: null,
      allow_in_url: false,
      not_before: null,
      expires_at: '2026-12-31T23:59:59.999Z',
      status: 'active',
      created_by: { kind: 'key' },
      request_count: 0,
      rotation: null,
      revoked_reason: null,
    })
    const again = await ask('GET', `/keys/${body.id}`)
    const { key: _key, ...rest } = body
    expect(again.body).toEqual(rest)
    expect(await statusOf({ get }, body.key)).toBe(200)
  })

  it('takes null as left out', async () => {
    const { ask } = await managed()
    const nothing = { description: null, environment: null, type: null, scopes: null, mcp_access: null, ip_allow: null }
    const more = {
      rate_limit_per_minute: null,
      quota_per_day: null,
      allow_in_url: null,
      not_before: null,
      expires_at: null,
    }
    const { status, body } = await ask('POST', '/keys', { name: 'n', ...nothing, ...more })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      scopes: ['mcp:*'],
      rate_limit_per_minute: 600,
      expires_at: null,
      mcp_access: { mode: 'all' },
    })
  })

  it('lists all that is wrong at once', async () => {
    const { ask } = await managed()
    const { status, body } = await ask('POST', '/keys', {
      name: '',
      environment: 'prod',
      scopes: ['mcp:*:x', 'keys:read'],
      mcp_access: { mode: 'selected', mcps: [{ slug: 'No!', tols: ['x'] }] },
      ip_allow: ['10.0.0.0/33'],
      rate_limit_per_minute: 0,
      quota_per_day: 1.5,
      allow_in_url: 'yes',
      not_before: 'soon',
      expires_at: '2026-05-31',
      expire_at: '90d',
      colour: 'red',
    })
    expect(status).toBe(422)
    expect(body).toMatchObject({ code: 'validation_failed', status: 422 })
    const errors = Object.fromEntries(body.errors.map((e: { field: string; message: string }) => [e.field, e.message]))
    expect(Object.keys(errors).sort()).toEqual(
      [
        ...['allow_in_url', 'colour', 'environment', 'expire_at', 'expires_at', 'ip_allow', 'mcp_access.mcps.0.slug'],
        ...['mcp_access.mcps.0.tols', 'name', 'not_before', 'quota_per_day', 'rate_limit_per_minute', 'scopes'],
      ].sort(),
    )
    expect(errors.expire_at).toContain('Did you mean "expires_at"?')
    expect(errors['mcp_access.mcps.0.tols']).toContain('Did you mean "tools"?')
    expect(errors.environment).toBe('Write "live" or "test".')
    expect(errors.expires_at).toBe('The expiry must be in the future.')
    expect(errors.scopes).toContain('"mcp:*:x" is no scope')
    expect(errors.allow_in_url).toBe('Write true or false here.')
    expect(errors.rate_limit_per_minute).toBe('1 at least.')
  })

  it.each([
    ['31st of May', { expires_at: '2026-05-31T11:59:59Z' }, 'expires_at'],
    ['a date that is none', { expires_at: '2026-02-30' }, 'expires_at'],
    ['an empty text', { expires_at: '' }, 'expires_at'],
    ['a number', { expires_at: 1_900_000_000 }, 'expires_at'],
    ['an end before the beginning', { not_before: '2026-07-01', expires_at: '2026-06-30' }, 'not_before'],
    ['an empty list of scopes', { scopes: [] }, 'scopes'],
    ['a scope that is none', { scopes: ['*'] }, 'scopes'],
    ['an unknown mode', { mcp_access: { mode: 'none' } }, 'mcp_access.mode'],
    [
      'a tool list without a tool',
      { mcp_access: { mode: 'selected', mcps: [{ slug: 'docs', tools: [] }] } },
      'mcp_access',
    ],
    ['a rate above a million', { rate_limit_per_minute: 1_000_001 }, 'rate_limit_per_minute'],
    ['a quota of nothing', { quota_per_day: 0 }, 'quota_per_day'],
    ['an address that is none', { ip_allow: ['example.com'] }, 'ip_allow'],
    ['a name of 101 characters', { name: 'ä'.repeat(101) }, 'name'],
    ['a name of blanks', { name: '   ' }, 'name'],
    ['no name', { name: undefined }, 'name'],
    ['null for a name', { name: null }, 'name'],
    ['__proto__', JSON.parse('{"__proto__": {"name": "x"}}'), '__proto__'],
    ['constructor', { constructor: { prototype: {} } }, 'constructor'],
  ])('refuses %s', async (_what, body, field) => {
    const { ask, ctx, workspace } = await managed()
    const answer = await ask('POST', '/keys', JSON.stringify({ name: 'x', ...body, ...own(body) }))
    expect([answer.status, answer.body.errors?.map((e: { field: string }) => e.field)]).toEqual([422, [field]])
    expect(
      (await ctx.store.keys.list({ workspaceId: workspace.id, now: ctx.now() }, { limit: 9, cursor: null })).items,
    ).toHaveLength(1)
  })

  it('takes a name of 100 characters, however many units they are', async () => {
    const { ask } = await managed()
    expect((await ask('POST', '/keys', { name: '🔑'.repeat(100) })).status).toBe(201)
  })

  it.each([
    'id',
    'workspace_id',
    'owner_id',
    'status',
    'hint',
    'key',
    'created_by',
    'created_at',
    'request_count',
    'revision',
    'revoked_reason',
    'rotation',
  ])('takes no %s from outside', async (member) => {
    const { ask } = await managed()
    const { status, body } = await ask('POST', '/keys', { name: 'x', [member]: 'key_other' })
    expect(status).toBe(422)
    expect(body.errors).toEqual([{ field: member, message: expect.not.stringContaining('Did you mean') }])
    const { body: made } = await ask('POST', '/keys', { name: 'x' })
    expect((await ask('PATCH', `/keys/${made.id}`, { [member]: 'key_other' })).status).toBe(422)
  })
})

describe('listing', () => {
  it('pages through all keys, the newest first', async () => {
    const { ask, advance } = await managed()
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      advance(1000)
      ids.unshift((await ask('POST', '/keys', { name: `key ${i}` })).body.id)
    }
    const seen: string[] = []
    let cursor: string | null = ''
    let pages = 0
    while (cursor !== null) {
      const { status, body }: Awaited<ReturnType<typeof ask>> = await ask(
        'GET',
        `/keys?limit=2${cursor && `&cursor=${cursor}`}`,
      )
      expect(status).toBe(200)
      seen.push(...body.data.map(({ id }: { id: string }) => id))
      cursor = body.next_cursor
      pages++
    }
    expect(pages).toBe(3)
    expect(seen.slice(0, 5)).toEqual(ids)
    expect(seen).toHaveLength(6)
  })

  it('filters by status and words', async () => {
    const { ask } = await managed()
    const { body: one } = await ask('POST', '/keys', { name: '100% mine' })
    await ask('POST', '/keys', { name: 'another', description: 'of Ben' })
    await ask('POST', `/keys/${one.id}/disable`)
    const names = async (query: string) =>
      (await ask('GET', `/keys?${query}`)).body.data.map(({ name }: { name: string }) => name)
    expect(await names('status=disabled')).toEqual(['100% mine'])
    expect(await names('status=active&search=of%20ben')).toEqual(['another'])
    expect(await names('search=%25')).toEqual(['100% mine'])
    expect(await names('environment=test')).toEqual([])
    expect(await names('environment=live&search=manager')).toEqual(['manager'])
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['status=gone', 'status'],
    ['page=2', 'page'],
    ['cursor=abc', 'cursor'],
    ['cursor=', 'cursor'],
  ])('refuses %s', async (query, field) => {
    const { ask } = await managed()
    const { status, body } = await ask('GET', `/keys?${query}`)
    expect([status, body.errors?.[0].field]).toEqual([422, field])
  })

  it('refuses a forged cursor, and one of another list or workspace', async () => {
    const { ask, app, advance } = await managed()
    advance(1)
    await ask('POST', '/keys', { name: 'x' })
    const { next_cursor } = (await ask('GET', '/keys?limit=1')).body
    expect((await ask('GET', `/keys?cursor=${next_cursor}`)).status).toBe(200)
    const forged = Buffer.from(`${Buffer.from(next_cursor, 'base64url')}0`).toString('base64url')
    expect((await ask('GET', `/keys?cursor=${forged}`)).body.code).toBe('validation_failed')
    const { fullKey } = await app.key({ scopes: ['audit:read'] })
    const other = await app.get(`/api/v1/audit?cursor=${next_cursor}`, fullKey)
    expect(await jsonOf(other)).toMatchObject({ errors: [{ field: 'cursor' }] })
  })
})

describe('changing', () => {
  it('changes what is named and nothing else', async () => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a', quota_per_day: 5, expires_at: '30d' })
    const { status, body } = await ask('PATCH', `/keys/${made.id}`, { description: 'for tests', quota_per_day: null })
    expect(status).toBe(200)
    const { key: _key, ...rest } = made
    expect(body).toEqual({ ...rest, description: 'for tests', quota_per_day: null })
  })

  it('lifts the bound on addresses with null', async () => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a', ip_allow: ['10.0.0.0/8'] })
    expect(await ask('PATCH', `/keys/${made.id}`, { ip_allow: null })).toMatchObject({
      status: 200,
      body: { ip_allow: [] },
    })
  })

  it('holds on the next request', async () => {
    const { ask, get } = await managed()
    const { body } = await ask('POST', '/keys', { name: 'a' })
    expect(await statusOf({ get }, body.key)).toBe(200)
    await ask('PATCH', `/keys/${body.id}`, { ip_allow: ['203.0.113.7'] })
    expect(await jsonOf(get('/api/v1/whoami', body.key))).toMatchObject({ code: 'ip_not_allowed' })
  })

  it.each(['name', 'type', 'scopes', 'mcp_access', 'allow_in_url'])('refuses null for %s', async (field) => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    const { status, body } = await ask('PATCH', `/keys/${made.id}`, { [field]: null })
    expect([status, body.errors?.[0].field]).toEqual([422, field])
  })

  it('keeps the environment', async () => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    const { body } = await ask('PATCH', `/keys/${made.id}`, { environment: 'test' })
    expect(body.errors).toEqual([{ field: 'environment', message: expect.stringContaining('stays') }])
  })

  it('refuses a revoked key', async () => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    await ask('POST', `/keys/${made.id}/revoke`)
    expect((await ask('PATCH', `/keys/${made.id}`, { name: 'b' })).body).toMatchObject({
      status: 409,
      code: 'conflict',
    })
  })
})

describe('ETag', () => {
  it('answers 304 to the one who knows', async () => {
    const { ask, call, fullKey } = await managed()
    const { body: made, headers } = await ask('POST', '/keys', { name: 'a' })
    const tag = headers.get('etag')!
    expect(tag).toMatch(/^"1\.[\w-]+"$/)
    const path = `/api/v1/keys/${made.id}`
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const response = await call('GET', path, { key: fullKey, headers: { 'if-none-match': known } })
      expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([304, '', tag])
    }
    expect((await ask('GET', `/keys/${made.id}`, undefined, { 'if-none-match': '"1"' })).status).toBe(200)
  })

  it('moves when time alone changes what is shown', async () => {
    const { ask, advance } = await managed()
    const { body: made, headers } = await ask('POST', '/keys', { name: 'a', expires_at: '1d' })
    advance(86_400_000)
    const { status, body } = await ask('GET', `/keys/${made.id}`, undefined, { 'if-none-match': headers.get('etag')! })
    expect([status, body.status]).toEqual([200, 'expired'])
  })

  it.each(['PATCH /', 'POST /disable', 'POST /enable', 'POST /revoke', 'DELETE /'])(
    'stops a stale %s',
    async (what) => {
      const [method, verb] = what.split(' ') as [string, string]
      const { ask } = await managed()
      const { body: made, headers } = await ask('POST', '/keys', { name: 'a' })
      await ask('PATCH', `/keys/${made.id}`, { name: 'b' })
      const path = `/keys/${made.id}${verb === '/' ? '' : verb}`
      const change = method === 'PATCH' ? { name: 'c' } : undefined
      for (const stale of [headers.get('etag')!, '"1"', 'W/"2"', '"nonsense"', '']) {
        const { status, body } = await ask(method, path, change, { 'if-match': stale })
        expect([stale, status, body.code]).toEqual([stale, 412, 'precondition_failed'])
      }
      const fresh = (await ask('GET', `/keys/${made.id}`)).headers.get('etag')!
      expect((await ask(method, path, change, { 'if-match': fresh })).status).toBeLessThan(300)
    },
  )

  it('lets a change pass with *', async () => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    expect((await ask('PATCH', `/keys/${made.id}`, { name: 'b' }, { 'if-match': '*' })).status).toBe(200)
    expect((await ask('PATCH', `/keys/${made.id}`, { name: 'b' }, { 'if-match': '"1", "2"' })).body.code).toBe(
      'bad_request',
    )
  })
})

describe('ending', () => {
  it('disables and enables', async () => {
    const { ask, get } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    expect(await statusOf({ get }, made.key)).toBe(200)
    const off = await ask('POST', `/keys/${made.id}/disable`)
    expect([off.status, off.body.status]).toEqual([200, 'disabled'])
    expect(await jsonOf(get('/api/v1/whoami', made.key))).toMatchObject({ code: 'disabled_key' })
    expect((await ask('POST', `/keys/${made.id}/disable`, {})).body.status).toBe('disabled')
    expect((await ask('POST', `/keys/${made.id}/enable`)).body.status).toBe('active')
    expect(await statusOf({ get }, made.key)).toBe(200)
  })

  it('revokes for good, with a reason', async () => {
    const { ask, get } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    const { status, body } = await ask('POST', `/keys/${made.id}/revoke`, { reason: 'laptop lost' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'revoked', revoked_reason: 'laptop lost' })
    expect(await jsonOf(get('/api/v1/whoami', made.key))).toMatchObject({ code: 'revoked_key' })
    expect((await ask('POST', `/keys/${made.id}/enable`)).body.code).toBe('conflict')
    expect((await ask('POST', `/keys/${made.id}/disable`)).body.code).toBe('conflict')
    expect((await ask('POST', `/keys/${made.id}/revoke`, { reason: 'again' })).body.revoked_reason).toBe('laptop lost')
    expect((await ask('GET', '/keys?status=revoked')).body.data).toHaveLength(1)
  })

  it('refuses what a verb does not take', async () => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    expect((await ask('POST', `/keys/${made.id}/disable`, { reason: 'x' })).body.errors).toMatchObject([
      { field: 'reason' },
    ])
    expect((await ask('POST', `/keys/${made.id}/revoke`, { reson: 'x' })).body.errors[0].message).toContain('"reason"')
    expect((await ask('POST', `/keys/${made.id}/revoke`, [])).status).toBe(422)
  })

  it('lets a key revoke itself, which then is over', async () => {
    const { ask, manager } = await managed()
    expect((await ask('POST', `/keys/${manager.id}/revoke`)).body.status).toBe('revoked')
    expect((await ask('GET', '/whoami')).body.code).toBe('revoked_key')
  })

  it('leaves a key revoked whatever races against it', async () => {
    const { ask } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    const verbs = ['revoke', 'disable', 'enable', 'disable', 'enable']
    await Promise.all(verbs.map((verb) => ask('POST', `/keys/${made.id}/${verb}`)))
    expect((await ask('GET', `/keys/${made.id}`)).body.status).toBe('revoked')
  })

  it('deletes, and answers unknown_key from then on', async () => {
    const { ask, get } = await managed()
    const { body: made } = await ask('POST', '/keys', { name: 'a' })
    const { status, body } = await ask('DELETE', `/keys/${made.id}`)
    expect([status, body]).toEqual([204, null])
    expect(await jsonOf(get('/api/v1/whoami', made.key))).toMatchObject({ code: 'unknown_key' })
    expect((await ask('GET', `/keys/${made.id}`)).body.code).toBe('not_found')
    expect((await ask('DELETE', `/keys/${made.id}`)).body.code).toBe('not_found')
  })

  it('asks again before it deletes a key that was used today', async () => {
    const { ask, ctx, app, advance } = await managed()
    const { key } = await app.key({ name: 'used' })
    await used(ctx, key.id)
    const { status, body } = await ask('DELETE', `/keys/${key.id}`)
    expect([status, body.code]).toEqual([409, 'recently_used'])
    expect((await ask('DELETE', `/keys/${key.id}?confirm=yes`)).status).toBe(422)
    expect((await ask('GET', `/keys/${key.id}`)).status).toBe(200)
    expect((await ask('DELETE', `/keys/${key.id}?confirm=recent_use`)).status).toBe(204)
    const { key: older } = await app.key({ name: 'used yesterday' })
    await used(ctx, older.id)
    advance(86_400_000)
    expect((await ask('DELETE', `/keys/${older.id}`)).status).toBe(204)
  })
})

describe('within its own powers', () => {
  const own = {
    type: 'restricted' as const,
    scopes: ['mcp:docs:*', 'keys:read', 'keys:write'],
    mcpAccess: { mode: 'selected' as const, mcps: [{ slug: 'docs', tools: ['search', 'get_doc'] }] },
    ipAllow: ['127.0.0.0/8'],
    rateLimitPerMinute: 100,
    quotaPerDay: 1000,
    expiresAt: new Date('2026-07-01T00:00:00Z'),
  }

  it.each([
    ['environment', { environment: 'test' }],
    ['type', { type: 'unrestricted' }],
    ['a scope', { scopes: ['mcp:*'] }],
    ['a management scope', { scopes: ['audit:read'] }],
    ['all MCPs', { mcp_access: { mode: 'all' } }],
    ['another MCP', { mcp_access: { mode: 'selected', mcps: [{ slug: 'wiki' }] } }],
    ['all tools', { mcp_access: { mode: 'selected', mcps: [{ slug: 'docs' }] } }],
    ['another tool', { mcp_access: { mode: 'selected', mcps: [{ slug: 'docs', tools: ['list_repos'] }] } }],
    ['any address', { ip_allow: [] }],
    ['a wider range', { ip_allow: ['0.0.0.0/0'] }],
    ['a longer life', { expires_at: '2026-07-01T00:00:01Z' }],
    ['a higher rate', { rate_limit_per_minute: 101 }],
    ['a higher quota', { quota_per_day: 1001 }],
    ['use in URLs', { allow_in_url: true }],
  ])('a key cannot give %s', async (_what, beyond) => {
    const app = await start()
    const { fullKey } = await app.key(own)
    const made = await app.post('/api/v1/keys', { name: 'child', ...beyond }, fullKey)
    expect([made.status, (await jsonOf(made)).code]).toEqual([403, 'forbidden'])
    const child = await jsonOf(app.post('/api/v1/keys', { name: 'child' }, fullKey))
    if ('environment' in beyond) return
    const changed = await app.call('PATCH', `/api/v1/keys/${child.id}`, { body: beyond, key: fullKey })
    expect([changed.status, (await jsonOf(changed)).code]).toEqual([403, 'forbidden'])
  })

  it('a key hands down its own bounds', async () => {
    const app = await start()
    const { fullKey } = await app.key(own)
    const child = await jsonOf(app.post('/api/v1/keys', { name: 'child' }, fullKey))
    expect(child).toMatchObject({
      scopes: ['mcp:docs:*'],
      mcp_access: own.mcpAccess,
      ip_allow: own.ipAllow,
      rate_limit_per_minute: 100,
      quota_per_day: 1000,
      expires_at: own.expiresAt.toISOString(),
      allow_in_url: false,
    })
    const endless = await jsonOf(app.post('/api/v1/keys', { name: 'child', expires_at: 'never' }, fullKey))
    expect(endless.expires_at).toBe(own.expiresAt.toISOString())
    const longer = await app.call('PATCH', `/api/v1/keys/${child.id}`, { body: { expires_at: 'never' }, key: fullKey })
    expect(longer.status).toBe(403)
  })

  it.each(['PATCH', 'disable', 'enable', 'revoke', 'DELETE'])('a key cannot %s a mightier one', async (what) => {
    const app = await start()
    const { fullKey } = await app.key(own)
    const { key: mightier } = await app.key({ scopes: ['mcp:*', 'audit:read'] })
    const [method, path] = /^[A-Z]/.test(what) ? [what, ''] : ['POST', `/${what}`]
    const body = what === 'PATCH' ? { name: 'x' } : undefined
    const response = await app.call(method, `/api/v1/keys/${mightier.id}${path}`, { body, key: fullKey })
    expect([response.status, (await jsonOf(response)).code]).toEqual([403, 'forbidden'])
  })

  it('keys:read alone changes nothing', async () => {
    const app = await start()
    const { fullKey } = await app.key({ scopes: ['mcp:*', 'keys:read'] })
    const response = await app.post('/api/v1/keys', { name: 'x' }, fullKey)
    expect(response.headers.get('www-authenticate')).toContain('insufficient_scope')
    expect(await jsonOf(response)).toMatchObject({ status: 403, code: 'insufficient_scope' })
  })

  it('judges the scope before the body', async () => {
    const app = await start()
    const { fullKey } = await app.key()
    expect(await jsonOf(app.post('/api/v1/keys', { nonsense: 1 }, fullKey))).toMatchObject({
      code: 'insufficient_scope',
    })
  })

  it("a member's key changes only the keys of that member", async () => {
    const app = await start()
    const [ben, eve] = [await app.person('member', 'ben@example.com'), await app.person('member', 'eve@example.com')]
    const wish = { scopes: ['mcp:*', 'keys:read', 'keys:write'] }
    const { fullKey } = await app.key(wish, app.workspace.id, ben.caller)
    const { key: foreign } = await app.key({}, app.workspace.id, eve.caller)
    const { key: same } = await app.key({}, app.workspace.id, ben.caller)
    expect(await jsonOf(app.post(`/api/v1/keys/${foreign.id}/disable`, {}, fullKey))).toMatchObject({
      code: 'forbidden',
    })
    expect((await app.post(`/api/v1/keys/${same.id}/disable`, {}, fullKey)).status).toBe(200)
    expect((await app.get(`/api/v1/keys/${foreign.id}`, fullKey)).status).toBe(200)
  })
})

/** What an object has itself, JSON's `__proto__` included. */
function own(value: object): object {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(value))
}

async function used(ctx: Started['ctx'], id: string): Promise<void> {
  await ctx.store.uses.note([{ keyId: id, at: ctx.now(), ip: '127.0.0.1', client: 'test', requests: 1 }])
}
