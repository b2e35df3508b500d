import { describe, expect, it } from 'vitest'
import { edit, revoke } from '../../src/core/keys/lifecycle.ts'
import { addMcp } from '../../src/core/mcps/edit.ts'
import { operator, type Started, start } from '../support/start.ts'
import { keyForm } from './forms.ts'

const KEYS = '/admin/w/main/keys'
const HTMX = { 'hx-request': 'true' }
type Form = [string, string][]

async function opened(wanted: Parameters<Started['key']>[0]) {
  const started = await start()
  const { cookie, caller } = await started.person('member')
  const { key } = await started.key(wanted, undefined, caller)
  const path = `${KEYS}/${key.id}/edit`
  return {
    started,
    key,
    page: async (headers?: Record<string, string>) => (await started.call('GET', path, { cookie, headers })).text(),
    send: (form: Form, headers?: Record<string, string>) => started.call('POST', path, { cookie, form, headers }),
    now: async () => (await started.ctx.store.keys.byId(started.workspace.id, key.id))!,
  }
}

/** What a browser would send if nothing were touched. */
function untouched(html: string): Form {
  const form: Form = []
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]
  for (const [tag] of html.matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(tag, 'name')
    const box = /type="(checkbox|radio)"/.test(tag)
    if (name && (!box || / checked/.test(tag))) form.push([name, plain(attribute(tag, 'value') ?? (box ? 'on' : ''))])
  }
  for (const [, name, value] of html.matchAll(/<textarea name="([^"]+)"[^>]*>\n?([^<]*)<\/textarea>/g))
    form.push([name!, plain(value!)])
  return form
}

const plain = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

const having = (form: Form, changes: Record<string, string | null>): Form => [
  ...form.filter(([name]) => !(name in changes)),
  ...Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null),
]

const FULL = {
  name: 'CI & "friends"',
  description: 'for <builds>',
  scopes: ['mcp:docs:search', 'usage:read', 'mcp:*'],
  mcpAccess: {
    mode: 'selected' as const,
    mcps: [
      { slug: 'wiki', tools: ['gone_tool', 'search'] },
      { slug: 'away', tools: null },
    ],
  },
  ipAllow: ['10.0.0.0/8'],
  rateLimitPerMinute: 50,
  quotaPerDay: 7,
  allowInUrl: true,
  notBefore: new Date('2026-05-01T09:30:00Z'),
  expiresAt: new Date('2026-12-24T18:00:00Z'),
}

describe('changing a key', () => {
  it('saves what nobody touched as it was', async () => {
    const { started, page, send, now } = await opened(FULL)
    const wiki = await addMcp(started.ctx, operator, started.workspace.id, {
      slug: 'wiki',
      live: { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} },
    })
    const tools = ['search', 'read_page'].map((name) => ({ name }))
    await started.ctx.store.mcps.keepOffer(wiki, 'live', {
      offer: { tools, prompts: [], resources: [], templates: [] } as never,
      heardAt: started.ctx.now(),
    })
    const html = await page()
    expect(html).toContain('no longer here')
    const before = await now()
    const answer = await send(untouched(html))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${KEYS}/${before.id}`])
    expect(await now()).toEqual(before)
  })

  it('records what was changed, and nothing else', async () => {
    const { started, key, page, send, now } = await opened(FULL)
    const form = having(untouched(await page()), {
      name: 'CI',
      expires_at: 'date',
      expires_on: '2027-01-31',
      quota_per_day: '',
      not_before: '2026-05-02',
    })
    expect((await send(form)).status).toBe(303)
    expect(await now()).toMatchObject({
      ...FULL,
      name: 'CI',
      expiresAt: new Date('2027-01-31T23:59:59.999Z'),
      notBefore: new Date('2026-05-02'),
      quotaPerDay: null,
    })
    const query = { chain: started.workspace.id, subjectId: key.id }
    const [line] = (await started.ctx.store.audit.list(query, { limit: 1, cursor: null })).items
    expect(Object.keys(line!.after!).sort()).toEqual(['expiresAt', 'name', 'notBefore', 'quotaPerDay'])
  })

  it('takes tools by name for a server that has told none', async () => {
    const { page, send, now } = await opened({
      mcpAccess: { mode: 'selected', mcps: [{ slug: 'away', tools: null }] },
    })
    const form = having(untouched(await page()), { tools_of_away: 'search\n get_doc' })
    expect((await send(form)).status).toBe(303)
    expect((await now()).mcpAccess).toEqual({
      mode: 'selected',
      mcps: [{ slug: 'away', tools: ['search', 'get_doc'] }],
    })
  })

  it('names everything that is wrong by its field, and keeps what was typed', async () => {
    const { page, send, now } = await opened(FULL)
    const form = having(untouched(await page()), {
      description: 'typed before',
      ip_allow: '10.0.0.0/8\n300.1.1.1',
      expires_at: 'date',
      expires_on: '2020-01-01',
      quota_per_day: 'many',
    })
    const answer = await send(form, HTMX)
    const html = await answer.text()
    expect(answer.status).toBe(422)
    for (const field of ['ip_allow', 'expires_on', 'quota_per_day']) {
      expect(html).toContain(`href="#field-${field}"`)
      expect(html).toContain(`id="field-${field}-error"`)
    }
    expect(untouched(html).sort()).toEqual(form.sort())
    expect((await now()).revision).toBe(1)
  })

  it('does not undo what somebody else changed meanwhile', async () => {
    const { started, key, page, send, now } = await opened(FULL)
    const form = untouched(await page())
    await edit(started.ctx, operator, started.workspace.id, key.id, { name: 'theirs' })
    const answer = await send(having(form, { name: 'mine' }))
    const html = await answer.text()
    expect(answer.status).toBe(412)
    expect(html).toContain('value="theirs"')
    expect(html).toContain('Not saved: the name in your form, mine.')
    expect((await now()).name).toBe('theirs')
    expect((await send(having(untouched(html), { name: 'mine' }))).status).toBe(303)
    expect((await now()).name).toBe('mine')
  })

  it('leaves a restriction of somebody else alone, however often one presses', async () => {
    const { started, key, page, send, now } = await opened({ scopes: ['mcp:*', 'keys:write'] })
    const form = having(untouched(await page()), { description: 'typed' })
    await edit(started.ctx, operator, started.workspace.id, key.id, { scopes: ['mcp:docs:search'] })
    const first = await send(form, HTMX)
    const html = await first.text()
    expect(first.status).toBe(412)
    expect(html).toContain('Not saved: the description in your form, typed.')
    expect(html).toContain('Not saved: the scopes in your form, mcp:*, keys:write.')
    expect((await send(untouched(html))).status).toBe(303)
    expect((await now()).scopes).toEqual(['mcp:docs:search'])
  })

  it('still knows when it was opened, after an answer that was wrong', async () => {
    const { started, key, page, send, now } = await opened({ scopes: ['mcp:*', 'keys:write'] })
    const form = untouched(await page())
    await edit(started.ctx, operator, started.workspace.id, key.id, { scopes: ['mcp:docs:search'] })
    const wrong = await send(having(form, { quota_per_day: 'many' }))
    expect(wrong.status).toBe(422)
    const again = await send(having(untouched(await wrong.text()), { quota_per_day: '5' }))
    expect(again.status).toBe(412)
    expect(await now()).toMatchObject({ scopes: ['mcp:docs:search'], quotaPerDay: null })
  })

  it('takes management away from an unrestricted key', async () => {
    const { page, send, now } = await opened({ type: 'unrestricted', scopes: ['keys:write', 'audit:read'] })
    const answer = await send(having(untouched(await page()), { scopes: null }))
    expect(answer.status).toBe(303)
    expect((await now()).scopes).toEqual(['mcp:*'])
  })

  it.each<Record<string, string>>([{}, { name: 'renamed' }])(
    'leaves a key that reaches no server so (%j)',
    async (changes) => {
      const none = { mode: 'selected' as const, mcps: [] }
      const { page, send, now } = await opened({ mcpAccess: none })
      expect((await send(having(untouched(await page()), changes))).status).toBe(303)
      expect(await now()).toMatchObject({ mcpAccess: none, ...changes })
    },
  )

  it('widens a server to all its tools only in so many words', async () => {
    const { page, send, now } = await opened(FULL)
    const form = having(untouched(await page()), { tools: null })
    const refused = await send(form)
    const html = await refused.text()
    expect(refused.status).toBe(422)
    expect(html).toContain('Tick a tool of wiki, or all of them, or untick the server.')
    expect((await now()).mcpAccess).toEqual(FULL.mcpAccess)
    expect(html).toContain('name="all_tools" value="wiki"')
    expect((await send([...untouched(html), ['all_tools', 'wiki']])).status).toBe(303)
    expect((await now()).mcpAccess).toEqual({
      mode: 'selected',
      mcps: [
        { slug: 'wiki', tools: null },
        { slug: 'away', tools: null },
      ],
    })
  })

  it('is not offered for a revoked key', async () => {
    const { started, key, page, send } = await opened({})
    const form = untouched(await page())
    await revoke(started.ctx, operator, started.workspace.id, key.id, null)
    expect((await send(form)).status).not.toBe(303)
    expect(await page()).toContain('Issue a new one')
    const { cookie } = await started.person('admin')
    const html = await (await started.call('GET', `${KEYS}/${key.id}`, { cookie })).text()
    expect(html).not.toContain('/edit')
  })

  it('never takes "as it is" for a new key', async () => {
    const { started } = await opened({})
    const { cookie } = await started.person('admin')
    const answer = await started.call('POST', KEYS, { cookie, form: keyForm(started, { expires_at: 'kept' }) })
    expect(answer.status).toBe(422)
  })
})
