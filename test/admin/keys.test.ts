import { describe, expect, it } from 'vitest'
import { disable, revoke } from '../../src/core/keys/lifecycle.ts'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { operator, robot, type Started, start } from '../support/start.ts'
import { fullKeyIn, keyForm } from './forms.ts'

const KEYS = '/admin/w/main/keys'
const HTMX = { 'hx-request': 'true' }

async function signedIn(role: 'viewer' | 'member' | 'admin' = 'member') {
  const started = await start()
  const { cookie, caller, user } = await started.person(role)
  return {
    ...started,
    started,
    user,
    caller,
    page: (path: string, headers?: Record<string, string>) => started.call('GET', path, { cookie, headers }),
    send: (path: string, form: Record<string, string> | [string, string][] = {}, headers?: Record<string, string>) =>
      started.call('POST', path, { cookie, form, headers }),
  }
}

const namesIn = (html: string) => [...html.matchAll(/cell-name"><a[^>]*>([^<]+)/g)].map(([, name]) => name!)

const only = async ({ ctx, workspace }: Started) =>
  (await ctx.store.keys.list({ workspaceId: workspace.id, now: ctx.now() }, { limit: 9, cursor: null })).items[0]!

describe('issuing a key', () => {
  it('shows a key that works, with everything that was asked', async () => {
    const { started, send, get } = await signedIn()
    const form: [string, string][] = [
      ...Object.entries(
        keyForm(started, {
          name: 'CI <1>',
          description: 'for the build',
          environment: 'test',
          expires_at: 'date',
          expires_on: '2026-12-31',
          more_scopes: 'mcp:docs:search\nmcp:get_doc',
          mcp_access: 'selected',
          allow_in_url: 'on',
          ip_allow: '127.0.0.1\n10.0.0.0/8',
          not_before: '2026-05-01',
          rate_limit_per_minute: '1,000',
          quota_per_day: '50',
        }),
      ),
      ['scopes', 'keys:read'],
      ['mcps', 'docs'],
      ['mcps', 'files'],
      ['tools', 'docs:search'],
      ['tools', 'docs:get_doc'],
      ['tools', 'other:unticked'],
    ]
    const answer = await send(KEYS, form)
    expect(answer.status).toBe(200)
    const html = await answer.text()
    const fullKey = fullKeyIn(html)!
    expect(html).toContain('CI &lt;1&gt;')
    expect(await (await get('/api/v1/whoami', fullKey)).json()).not.toHaveProperty('code')
    expect(await only(started)).toMatchObject({
      name: 'CI <1>',
      description: 'for the build',
      environment: 'test',
      type: 'restricted',
      scopes: ['mcp:*', 'keys:read', 'mcp:docs:search', 'mcp:get_doc'],
      mcpAccess: {
        mode: 'selected',
        mcps: [
          { slug: 'docs', tools: ['search', 'get_doc'] },
          { slug: 'files', tools: null },
        ],
      },
      ipAllow: ['127.0.0.1', '10.0.0.0/8'],
      rateLimitPerMinute: 1000,
      quotaPerDay: 50,
      allowInUrl: true,
      notBefore: new Date('2026-05-01T00:00:00Z'),
      expiresAt: new Date('2026-12-31T23:59:59.999Z'),
    })
  })

  it('says what the new key may do, and how to find it where it does not belong', async () => {
    const { started, send } = await signedIn()
    const html = await (await send(KEYS, keyForm(started, { scopes: 'mcp:docs:search' }))).text()
    expect(html).toContain('Call search of docs.')
    expect(html).toContain('Call anything else.')
    const pattern = /<code>(\^clv_[^<]+)</.exec(html)![1]!
    expect(fullKeyIn(html)).toMatch(new RegExp(pattern))
    expect(html).toContain('regex = &#39;&#39;&#39;\\b(clv_(?:live|test)_[0-9A-Za-z]{48})\\b')
    expect(html).toContain('.cursor/mcp.json')
  })

  it('says nothing about limits where nothing was typed', async () => {
    const { started, send } = await signedIn()
    await send(KEYS, keyForm(started, { expires_at: '30d' }))
    expect(await only(started)).toMatchObject({
      environment: 'live',
      scopes: ['mcp:*'],
      mcpAccess: { mode: 'all' },
      rateLimitPerMinute: 600,
      quotaPerDay: null,
      ipAllow: [],
      allowInUrl: false,
      expiresAt: new Date('2026-07-01T12:00:00Z'),
    })
  })

  it('never shows it again, nor makes a second when the form comes twice', async () => {
    const { started, send, page, logs } = await signedIn()
    const form = keyForm(started)
    const first = await send(KEYS, form)
    expect(first.headers.get('cache-control')).toBe('no-store')
    const fullKey = fullKeyIn(await first.text())!
    const second = await send(KEYS, form)
    expect(second.status).toBe(409)
    const html = await second.text()
    expect(html).toContain('was sent already')
    expect(fullKeyIn(html)).toBeNull()
    const { id } = await only(started)
    for (const path of [KEYS, `${KEYS}/${id}`, `${KEYS}/${id}/rename`, `${KEYS}/${id}/revoke`])
      expect(await (await page(path)).text()).not.toContain(fullKey)
    expect(logs.join('')).not.toContain(fullKey)
  })

  it('makes one key of two forms sent at once', async () => {
    const { started, send, ctx, workspace } = await signedIn()
    const form = keyForm(started)
    const answers = await Promise.all([send(KEYS, form), send(KEYS, form)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await ctx.store.keys.tally({ workspaceId: workspace.id, now: ctx.now() })).active).toBe(1)
  })

  it('takes no form that is a day old, or comes from nowhere', async () => {
    const { started, send, advance } = await signedIn()
    const form = keyForm(started)
    expect((await send(KEYS, { ...form, once: '' })).status).toBe(400)
    expect((await send(KEYS, { ...form, once: 'x'.repeat(40) })).status).toBe(400)
    advance(13 * 3_600_000)
    expect((await send(KEYS, form)).status).toBe(400)
  })

  it.each([
    ['name', { name: '  ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['environment', { environment: 'prod' }],
    ['type', { type: 'root' }],
    ['scopes', { scopes: '' }],
    ['scopes', { scopes: 'everything' }],
    ['more_scopes', { more_scopes: 'mcp:doc*' }],
    ['mcp_access', { mcp_access: 'selected' }],
    ['mcp_access', { mcp_access: 'some' }],
    ['mcp_access', { mcp_access: 'selected', mcps: 'No Slug' }],
    ['expires_at', { expires_at: 'soon' }],
    ['expires_on', { expires_at: 'date' }],
    ['expires_on', { expires_at: 'date', expires_on: '2026-05-31' }],
    ['expires_on', { expires_at: 'date', expires_on: '2027-02-30' }],
    ['not_before', { not_before: 'tomorrow' }],
    ['ip_allow', { ip_allow: '10.0.0.0/33' }],
    ['rate_limit_per_minute', { rate_limit_per_minute: '0' }],
    ['rate_limit_per_minute', { rate_limit_per_minute: 'many' }],
    ['quota_per_day', { quota_per_day: '-1' }],
  ])('brings the form back for a wrong %s: %j', async (field, wrong) => {
    const { started, send, ctx, workspace } = await signedIn()
    const form = keyForm(started, { description: 'typed before', ...wrong })
    const answer = await send(KEYS, form)
    const html = await answer.text()
    expect(answer.status).toBe(422)
    expect(html).toContain(`href="#field-${field}"`)
    expect(html).toContain(`id="field-${field}`)
    expect(html).toContain('typed before')
    expect((await ctx.store.keys.tally({ workspaceId: workspace.id, now: ctx.now() })).active).toBe(0)
    const mended = await send(KEYS, keyForm(started, { once: form.once! }))
    expect(mended.status).toBe(200)
  })

  it('shows everything typed as text', async () => {
    const { started, send } = await signedIn()
    const nasty = '"><script>alert(1)</script>'
    const html = await (await send(KEYS, keyForm(started, { name: nasty, more_scopes: nasty, ip_allow: nasty }))).text()
    expect(html).not.toContain('<script>alert')
  })

  it('answers htmx with the piece alone', async () => {
    const { started, send, page } = await signedIn()
    const form = await (await page(`${KEYS}/new`, HTMX)).text()
    expect(form).toMatch(/name="once" value="[0-9a-z]+-[0-9a-f]{32}"/)
    expect(form).not.toContain('<html')
    const wrong = await send(KEYS, keyForm(started, { name: '' }), HTMX)
    expect(wrong.status).toBe(422)
    expect(await wrong.text()).not.toContain('<html')
    const done = await (await send(KEYS, keyForm(started), HTMX)).text()
    expect(done).not.toContain('<html')
    expect(fullKeyIn(done)).not.toBeNull()
  })
})

describe('the list', () => {
  it('stands in sections, each with its count', async () => {
    const { page, key, ctx, workspace, advance } = await signedIn('viewer')
    await key({ name: 'runs' })
    await key({ name: 'later', notBefore: new Date('2026-09-01') })
    const off = await key({ name: 'paused' })
    const gone = await key({ name: 'taken back' })
    await key({ name: 'ran out', expiresAt: new Date('2026-06-02') })
    await disable(ctx, operator, workspace.id, off.key.id)
    await revoke(ctx, operator, workspace.id, gone.key.id, null)
    advance(2 * 86_400_000)
    const sections = (await (await page(KEYS)).text()).split('<section').slice(1)
    expect(sections.map((html) => namesIn(html).sort())).toEqual([
      ['later', 'runs'],
      ['paused'],
      ['ran out', 'taken back'],
    ])
    expect(sections.map((html) => /class="count">(\d+)/.exec(html)?.[1])).toEqual(['2', '1', '2'])
  })

  it('finds by name, hint and description, in one environment', async () => {
    const { page, key } = await signedIn('viewer')
    const { key: one } = await key({ name: 'build 100%' })
    await key({ name: 'other', environment: 'test' })
    const found = async (query: string) => namesIn(await (await page(`${KEYS}?${query}`)).text())
    expect(await found('q=BUILD')).toEqual(['build 100%'])
    expect(await found('q=100%25')).toEqual(['build 100%'])
    expect(await found('q=%25')).toEqual(['build 100%'])
    expect(await found(`q=${encodeURIComponent(one.hint)}`)).toEqual(['build 100%'])
    expect(await found('environment=test')).toEqual(['other'])
    expect(await found('q=nothing')).toEqual([])
    expect((await found('q[a]=1&environment=prod')).sort()).toEqual(['build 100%', 'other'])
  })

  it('answers htmx with the sections alone', async () => {
    const { page, key } = await signedIn('viewer')
    await key({ name: 'build' })
    const html = await (await page(`${KEYS}?q=build`, HTMX)).text()
    expect(html).toContain('build')
    expect(html).not.toContain('<html')
  })

  it('leads through a long section page by page and back', async () => {
    const { page, key } = await signedIn('viewer')
    for (let i = 0; i < 120; i++) await key({ name: `k${i}` })
    const linkTo = (html: string, pattern: RegExp) => pattern.exec(html)![1]!.replaceAll('&amp;', '&')
    const all = await (await page(KEYS)).text()
    expect(namesIn(all)).toHaveLength(50)
    const first = await (await page(linkTo(all, /href="([^"]*section=enabled)"/))).text()
    const second = await (await page(linkTo(first, /rel="next" href="([^"]+)"/))).text()
    const third = await (await page(linkTo(second, /rel="next" href="([^"]+)"/))).text()
    expect([namesIn(first).length, namesIn(second).length, namesIn(third).length]).toEqual([50, 50, 20])
    expect(new Set([...namesIn(first), ...namesIn(second), ...namesIn(third)]).size).toBe(120)
    expect(third).not.toContain('rel="next"')
    const back = await (await page(linkTo(third, /rel="prev" href="([^"]+)"/))).text()
    expect(namesIn(back)).toEqual(namesIn(second))
  })

  it('invites to issue the first key only who may', async () => {
    expect(await (await (await signedIn('viewer')).page(KEYS)).text()).not.toContain('keys/new')
    expect(await (await (await signedIn('member')).page(KEYS)).text()).toContain('Create the first key')
  })
})

describe('a key', () => {
  it('says in words what it may do, and what happened to it', async () => {
    const { key, page, send, caller } = await signedIn()
    const { key: one } = await key(
      {
        scopes: ['mcp:docs:search', 'mcp:docs:get_doc', 'usage:read'],
        mcpAccess: { mode: 'selected', mcps: [{ slug: 'docs', tools: ['search'] }] },
      },
      undefined,
      caller,
    )
    await send(`${KEYS}/${one.id}/rename`, { name: 'Renamed' })
    await send(`${KEYS}/${one.id}/revoke`, { reason: 'leaked' })
    const html = await (await page(`${KEYS}/${one.id}`)).text()
    expect(html).toContain('Call search of docs.')
    expect(html).not.toContain('get_doc of docs')
    expect(html).toContain('Call anything else.')
    expect(html).toContain('Read usage, activity and explanations of refusals.')
    expect(html).toMatch(/Revoked: leaked[\s\S]*Renamed from a key to Renamed[\s\S]*Created/)
  })

  it('is renamed in place, and the row comes back', async () => {
    const { key, send, page, caller } = await signedIn()
    const path = `${KEYS}/${(await key({}, undefined, caller)).key.id}`
    expect(await (await page(`${path}/rename`, HTMX)).text()).toMatch(/^\s*<tr[\s\S]*value="a key"/)
    expect(await (await page(`${path}/rename`)).text()).toContain('value="a key"')
    const row = await (await send(`${path}/rename`, { name: 'laptop' }, HTMX)).text()
    expect(row).toMatch(/^\s*<tr/)
    expect(row).toContain('laptop')
    const wrong = await send(`${path}/rename`, { name: '' }, HTMX)
    expect(wrong.status).toBe(422)
    expect(await wrong.text()).toContain('1 to 100 characters')
    expect((await send(`${path}/rename`, { name: '' })).status).toBe(422)
    expect(await (await page(`${path}/row`, HTMX)).text()).toContain('laptop')
  })

  it('stops at once when disabled, and works again when enabled', async () => {
    const { key, send, get, page, caller } = await signedIn()
    const { key: one, fullKey } = await key({}, undefined, caller)
    const code = async () => ((await (await get('/api/v1/whoami', fullKey)).json()) as { code?: string }).code
    expect(await (await page(`${KEYS}/${one.id}/disable`)).text()).toContain('Nobody has ever used it.')
    expect(await code()).toBeUndefined()
    const answer = await send(`${KEYS}/${one.id}/disable`)
    expect(answer.headers.get('location')).toBe(`${KEYS}/${one.id}`)
    expect(await code()).toBe('disabled_key')
    const row = await send(`${KEYS}/${one.id}/enable`, {}, HTMX)
    expect(await row.text()).toContain('Active')
    expect(await code()).toBeUndefined()
  })

  it('is revoked for good, with a reason', async () => {
    const { started, key, send, get, page, caller } = await signedIn()
    const { key: one, fullKey } = await key({}, undefined, caller)
    await send(`${KEYS}/${one.id}/revoke`, { reason: 'leaked' })
    expect(await (await get('/api/v1/whoami', fullKey)).json()).toMatchObject({ code: 'revoked_key' })
    expect((await only(started)).revokedReason).toBe('leaked')
    const refused = await send(`${KEYS}/${one.id}/enable`)
    expect(refused.status).toBe(409)
    const piece = await send(`${KEYS}/${one.id}/enable`, {}, HTMX)
    expect([piece.status, piece.headers.get('hx-retarget')]).toEqual([409, '#flash'])
    expect(await piece.text()).not.toContain('<html')
    expect(await (await page(`${KEYS}/${one.id}`)).text()).not.toContain('/enable')
  })

  it('shows who uses it before harm, and asks twice to delete it', async () => {
    const { started, key, send, page, ctx, workspace, caller } = await signedIn()
    const { key: one } = await key({}, undefined, caller)
    const call = (client: string, ip: string) => ({
      workspaceId: workspace.id,
      at: ctx.now(),
      requestId: 'req_1',
      keyId: one.id,
      mcp: 'docs',
      method: 'tools/call',
      tool: 'search',
      environment: 'live' as const,
      outcome: 'ok' as const,
      status: 200,
      latencyMs: 3.4,
      upstreamMs: 2,
      ip,
      client,
    })
    const calls = [call('cursor', '203.0.113.1'), call('cursor', '203.0.113.2'), call('n8n', '203.0.113.2')]
    await ctx.store.activity.write(calls)
    await ctx.store.uses.note([{ keyId: one.id, at: ctx.now(), ip: '203.0.113.2', client: 'n8n', requests: 3 }])
    const html = await (await page(`${KEYS}/${one.id}/delete`)).text()
    expect(html).toContain('3 calls in the last 24 hours')
    expect(html).toMatch(/cursor[\s\S]*n8n[\s\S]*203\.0\.113\.2[\s\S]*203\.0\.113\.1/)
    expect((await send(`${KEYS}/${one.id}/delete`)).status).toBe(409)
    expect((await send(`${KEYS}/${one.id}/delete`, { confirm: 'recent_use' })).status).toBe(303)
    expect(await only(started)).toBeUndefined()
    expect((await page(`${KEYS}/${one.id}`)).status).toBe(404)
  })

  it('of somebody else is seen by a member, but not changed', async () => {
    const { key, page, send, workspace, ctx } = await signedIn()
    const { key: one } = await key()
    const html = await (await page(`${KEYS}/${one.id}`)).text()
    for (const act of ['rename', 'disable', 'enable', 'revoke', 'delete']) {
      expect(html).not.toContain(`${one.id}/${act}`)
      expect((await send(`${KEYS}/${one.id}/${act}`, { name: 'mine' })).status).toBe(403)
      if (act !== 'enable') expect((await page(`${KEYS}/${one.id}/${act}`)).status).toBe(403)
    }
    expect(await ctx.store.keys.byId(workspace.id, one.id)).toMatchObject({ revision: 1 })
  })

  it('of another workspace does not exist', async () => {
    const { key, page, send, ctx } = await signedIn('admin')
    const other = await createWorkspace(ctx, robot, null, 'Other')
    const { key: one } = await key({}, other.id)
    expect((await page(`${KEYS}/${one.id}`)).status).toBe(404)
    expect((await send(`${KEYS}/${one.id}/revoke`)).status).toBe(404)
    expect((await ctx.store.keys.byId(other.id, one.id))?.revokedAt).toBeNull()
  })
})
