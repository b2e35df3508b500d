import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { start } from '../support/start.ts'

const PATH = '/admin/w/main/keys/import'
const ONE = 'acme_0123456789_first'
const OTHER = 'another shape, with spaces'
const sha256 = (key: string) => hash('sha256', key)

async function admin() {
  const started = await start()
  const { cookie } = await started.person('admin')
  const { ctx, workspace } = started
  return {
    ...started,
    page: async () => (await started.call('GET', PATH, { cookie })).text(),
    send: (keys: string, more: Record<string, string> = {}) =>
      started.call('POST', PATH, {
        cookie,
        form: { keys, environment: 'live', scopes: 'mcp:*', mcp_access: 'all', expires_at: 'never', ...more },
      }),
    keys: async () =>
      (await ctx.store.keys.list({ workspaceId: workspace.id, now: ctx.now() }, { limit: 99, cursor: null })).items,
  }
}

describe('importing keys', () => {
  it('lets them be used as they are, with what was asked for all', async () => {
    const { send, keys, get } = await admin()
    const answer = await send(
      `Nightly report, ${sha256(ONE)}, acme_01…rst\n\n  ${sha256(OTHER).toUpperCase()}  laptop\n`,
      {
        scopes: 'mcp:docs:*',
        expires_at: '30d',
        rate_limit_per_minute: '5',
      },
    )
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin/w/main/keys'])
    const both = (await keys()).sort((one, other) => (one.name < other.name ? -1 : 1))
    expect(both).toMatchObject([
      { name: 'Nightly report', hint: 'acme_01…rst', scopes: ['mcp:docs:*'], rateLimitPerMinute: 5 },
      { name: 'laptop', scopes: ['mcp:docs:*'], expiresAt: new Date('2026-07-01T12:00:00Z') },
    ])
    expect(await (await get('/api/v1/whoami', ONE)).json()).toMatchObject({ name: 'Nightly report' })
  })

  it('says how to compute the hash', async () => {
    expect(await (await admin()).page()).toContain('printf %s &quot;$KEY&quot; | sha256sum')
  })

  it('keeps what was refused, with why, and imports the others', async () => {
    const { send, keys } = await admin()
    await send(`first, ${sha256(ONE)}`)
    const answer = await send(`again, ${sha256(ONE)}\nsecond, ${sha256(OTHER)}`)
    const html = await answer.text()
    expect(answer.status).toBe(422)
    expect(html).toContain('1 key is imported.')
    expect(html).toContain('again: A key with this SHA-256 is known')
    expect(/<textarea name="keys"[^>]*>\n?([^<]*)</.exec(html)?.[1]).toBe(`again, ${sha256(ONE)}`)
    expect((await keys()).map(({ name }) => name).sort()).toEqual(['first', 'second'])
  })

  it.each([
    ['', 'Paste at least one line.'],
    [`fine, ${sha256(ONE)}\nlaptop, clv_live_notahash\n${sha256(OTHER)}`, 'Line 2 has no SHA-256'],
    [`fine, ${sha256(ONE)}\nlaptop, clv_live_notahash\n${sha256(OTHER)}`, 'Line 3 has no name'],
    [`laptop, ${sha256(ONE)}0`, 'Line 1 has no SHA-256'],
    [`x, ${sha256(ONE)}\n`.repeat(501), 'at most 500 lines'],
  ])('imports nothing of %j', async (pasted, said) => {
    const { send, keys } = await admin()
    const answer = await send(pasted)
    expect(answer.status).toBe(422)
    expect(await answer.text()).toContain(said)
    expect(await keys()).toEqual([])
  })

  it('never takes the key itself for a name', async () => {
    const { send, keys } = await admin()
    const answer = await send(`${ONE}, ${sha256(ONE)}`)
    expect(answer.status).toBe(422)
    expect(await answer.text()).toContain('This holds the full key')
    expect(await keys()).toEqual([])
  })

  it('imports nothing while another answer is wrong, and keeps the lines', async () => {
    const { send, keys } = await admin()
    const answer = await send(`fine, ${sha256(ONE)}`, { ip_allow: '10.0.0.0/33' })
    const html = await answer.text()
    expect(answer.status).toBe(422)
    expect(html).toContain('id="field-ip_allow-error"')
    expect(html).toContain(`fine, ${sha256(ONE)}`)
    expect(await keys()).toEqual([])
  })

  it('names the line whose name or hint is too long', async () => {
    const { send, keys } = await admin()
    const html = await (await send(`${'n'.repeat(101)}, ${sha256(ONE)}\nx, ${sha256(OTHER)}, ${'h'.repeat(41)}`)).text()
    expect(html).toContain('1 to 100 characters')
    expect(html).toContain('x: A hint is one line')
    expect(await keys()).toEqual([])
  })
})
