import { describe, expect, it } from 'vitest'
import { newOnce } from '../../src/admin/once.ts'
import type { ActivityLine } from '../../src/core/activity.ts'
import type { NewKey } from '../../src/core/keys/wishes.ts'
import { start } from '../support/start.ts'
import { fullKeyIn } from './forms.ts'

const KEYS = '/admin/w/main/keys'

async function ofMember(wanted: Partial<NewKey> = {}) {
  const started = await start()
  const { ctx, workspace } = started
  const { cookie, caller, user } = await started.person('member')
  const { key, fullKey } = await started.key(wanted, undefined, caller)
  const path = `${KEYS}/${key.id}`
  return {
    ...started,
    path,
    fullKey,
    id: key.id,
    /** A session lasts hours; some tests let days pass. */
    cookieNow: () => started.cookieOf(user),
    page: async (more = '') => (await started.call('GET', path + more, { cookie })).text(),
    send: (act: string, form: Record<string, string> = {}) => started.call('POST', `${path}/${act}`, { cookie, form }),
    now: () => ctx.store.keys.byId(workspace.id, key.id),
    called: async (lines: Partial<ActivityLine>[], used = true) => {
      await ctx.store.activity.write(
        lines.map((line) => ({
          workspaceId: workspace.id,
          at: ctx.now(),
          requestId: 'req_1',
          keyId: key.id,
          mcp: 'docs',
          method: 'tools/call',
          tool: 'search',
          environment: 'live',
          outcome: 'ok',
          status: 200,
          latencyMs: 3.4,
          upstreamMs: 2,
          ip: '203.0.113.7',
          client: 'cursor 1.0',
          ...line,
        })),
      )
      const use = { keyId: key.id, at: ctx.now(), ip: '203.0.113.7', client: 'cursor 1.0', requests: 1 }
      if (used) await ctx.store.uses.note([use])
    },
  }
}

const addressIn = (html: string, pattern: RegExp) => pattern.exec(html)![1]!.replaceAll('&amp;', '&')
const toolsIn = (html: string) =>
  [...html.slice(html.indexOf('id="activity"')).matchAll(/cell-name">(\w+)</g)].map(([, tool]) => tool)

describe('the page of a key', () => {
  it('leads through its calls, the newest first', async () => {
    const { page, path, called } = await ofMember()
    for (let i = 1; i <= 45; i++) await called([{ tool: `tool_${i}` }])
    const first = await page()
    expect(toolsIn(first)).toEqual(Array.from({ length: 20 }, (_, i) => `tool_${45 - i}`))
    const older = addressIn(first, /rel="next" href="([^"]+)#activity"/).slice(path.length)
    const second = await page(older)
    expect(toolsIn(second)[0]).toBe('tool_25')
    const last = await page(addressIn(second, /rel="next" href="([^"]+)#activity"/).slice(path.length))
    expect(toolsIn(last)).toEqual(['tool_5', 'tool_4', 'tool_3', 'tool_2', 'tool_1'])
    expect(last).toContain(`href="${path}#activity"`)
    expect(last).not.toContain('rel="next"')
    expect(await page('?calls=%27%3B--')).toContain('tool_45')
  })

  it.each([
    ['tool_not_permitted', 'does not include this tool'],
    ['ip_not_allowed', '198.51.100.9 is not among its allowed addresses'],
    ['wrong_environment', 'no target for live keys'],
    ['upstream_timeout', 'did not answer in time'],
    ['tool_error', 'an error of its own'],
  ] as const)('says why a call ended as %s', async (outcome, why) => {
    const { page, called } = await ofMember()
    await called([{ outcome, ip: '198.51.100.9' }])
    const html = await page()
    expect(html).toContain(why)
    expect(html).toContain('data-copy="req_1"')
  })

  it('counts who uses it', async () => {
    const { page, called, advance } = await ofMember()
    await called([{ client: 'n8n' }])
    advance(25 * 3_600_000)
    expect(await page()).toContain('Nobody in the last 24 hours')
    await called([{}, {}, { client: null, ip: '2001:db8::1' }])
    const html = await page()
    expect(html).toMatch(/<strong>3 calls<\/strong> in the last 24 hours/)
    expect(html).toMatch(/cursor 1\.0 <span class="count">2<[\s\S]*unnamed <span class="count">1</)
    expect(html).toMatch(/203\.0\.113\.7<\/code> <span class="count">2<[\s\S]*2001:db8::1<\/code>/)
  })

  it('does not count among its users who was refused with it', async () => {
    const { page, called } = await ofMember()
    await called([{ outcome: 'ip_not_allowed', status: 403, client: 'stranger' }])
    await called([
      { outcome: 'revoked_key', status: 401 },
      { outcome: 'disabled_key' },
      { outcome: 'url_key_not_allowed' },
    ])
    expect(await page()).toContain('Nobody in the last 24 hours')
    await called([{}, { outcome: 'tool_not_permitted' }, { outcome: 'rate_limited' }])
    const html = await page()
    expect(html).toMatch(/<strong>3 calls<\/strong> in the last 24 hours/)
    expect(/id="callers"[\s\S]*?<\/section>/.exec(html)![0]).not.toContain('stranger')
  })

  it.each([
    ['Not valid yet.', { notBefore: new Date('2026-07-01') }, 0],
    ['Expires soon.', { expiresAt: new Date('2026-06-05') }, 0],
    ['Expired.', { expiresAt: new Date('2026-06-05') }, 9],
  ])('says %s, and leads to its form', async (said, wanted, days) => {
    const { page, path, advance, person, call } = await ofMember(wanted)
    advance(days * 86_400_000)
    const { cookie } = await person('member')
    const html = days ? await (await call('GET', path, { cookie })).text() : await page()
    expect(html).toContain(said)
    expect(html).toContain(`href="${path}/edit">Change it.`)
  })

  it('shows its history to whose key it is and to admins, not to others', async () => {
    const { path, person, call, page } = await ofMember()
    const seenBy = async (role: 'viewer' | 'admin') =>
      (await call('GET', path, { cookie: (await person(role)).cookie })).text()
    expect(await page()).toContain('id="history"')
    expect(await seenBy('admin')).toContain('id="history"')
    expect(await seenBy('viewer')).not.toContain('id="history"')
  })
})

describe('taking a key back', () => {
  it.each([
    [{ reason: 'replaced' }, 'replaced'],
    [{ reason: 'other', other_reason: ' the laptop was lost ' }, 'the laptop was lost'],
    [{ reason: '', other_reason: 'typed, then not chosen' }, null],
    [{}, null],
  ])('is written down with its reason: %j', async (form, reason) => {
    const { send, now } = await ofMember()
    expect((await send('revoke', form)).status).toBe(303)
    expect(await now()).toMatchObject({ revokedReason: reason })
  })

  it('asks a second question whenever it was used within a day, whatever for', async () => {
    const { page, send, called, now } = await ofMember()
    await called([], true)
    const asked = await page('/delete')
    expect(asked).toContain('Used in the last 24 hours')
    expect(asked).toContain('name="confirm"')
    const refused = await send('delete')
    expect(refused.status).toBe(409)
    expect(await refused.text()).toContain('name="confirm"')
    expect(await now()).not.toBeNull()
    expect((await send('delete', { confirm: 'recent_use' })).status).toBe(303)
    expect(await now()).toBeNull()
  })

  it('needs no second question a day later', async () => {
    const { send, called, now, advance, path, person, call } = await ofMember()
    await called([{}])
    advance(24 * 3_600_000)
    const { cookie } = await person('member')
    expect(await (await call('GET', `${path}/delete`, { cookie })).text()).not.toContain('name="confirm"')
    expect((await send('delete')).status).toBe(303)
    expect(await now()).toBeNull()
  })
})

describe('rotating a key', () => {
  const once = ({ ctx }: { ctx: { now(): Date } }) => newOnce(ctx.now())

  it('shows the new secret once, and says until when the old one works', async () => {
    const { ctx, page, send, fullKey, get, advance, call, path, cookieNow } = await ofMember()
    const form = { once: once({ ctx }), overlap_seconds: '3600' }
    const answer = await send('rotate', form)
    expect(answer.status).toBe(200)
    const html = await answer.text()
    const next = fullKeyIn(html)!
    expect(next).not.toBe(fullKey)
    expect(html).toContain('has a new secret')
    expect(html).toContain('2026-06-01T13:00:00.000Z')
    const code = async (key: string) => ((await (await get('/api/v1/whoami', key)).json()) as { code?: string }).code
    expect([await code(next), await code(fullKey)]).toEqual([undefined, undefined])
    const again = await send('rotate', form)
    expect([again.status, fullKeyIn(await again.text())]).toEqual([409, null])
    const shown = await page()
    expect(shown).toContain('Two secrets work')
    expect(shown).toContain('Rotating')
    expect(shown).toContain(`${path}/finish-rotation`)
    expect(shown).toMatch(/Rotated, the old secret working until 2026-06-01 13:00 UTC/)
    expect(shown).not.toContain(`${path}/rotate"`)
    expect(shown).not.toContain(next)
    advance(3_600_000)
    expect([await code(next), await code(fullKey)]).toEqual([undefined, 'revoked_key'])
    const later = await (await call('GET', path, { cookie: await cookieNow() })).text()
    expect(later).not.toContain('Two secrets work')
    expect(later).toContain(`${path}/rotate"`)
  })

  it('ends the old secret at once when told so', async () => {
    const { ctx, send, fullKey, get } = await ofMember()
    const html = await (await send('rotate', { once: once({ ctx }), overlap_seconds: '0' })).text()
    expect(html).toContain('The old one is refused from now on.')
    expect(await (await get('/api/v1/whoami', fullKey)).json()).toMatchObject({ code: 'revoked_key' })
  })

  it('is finished by hand, after a look at who still has the old secret', async () => {
    const { ctx, page, send, fullKey, get } = await ofMember()
    await send('rotate', { once: once({ ctx }) })
    const asked = await page('/finish-rotation')
    expect(asked).toContain('The old secret was never used')
    expect(asked).toContain('Nobody has ever used it.')
    const answer = await send('finish-rotation')
    expect(answer.status).toBe(303)
    expect(await (await get('/api/v1/whoami', fullKey)).json()).toMatchObject({ code: 'revoked_key' })
    const shown = await page()
    expect(shown).not.toContain('Two secrets work')
    expect(shown).toMatch(/Rotation finished[\s\S]*Rotated/)
  })

  it.each([
    [{ overlap_seconds: '2592001' }, 422, 'overlap_seconds'],
    [{ overlap_seconds: 'long' }, 422, 'overlap_seconds'],
    [{ once: '' }, 400, 'Open it again'],
  ])('refuses %j', async (wrong, status, said) => {
    const { ctx, send, now } = await ofMember()
    const answer = await send('rotate', { once: once({ ctx }), ...wrong })
    expect(answer.status).toBe(status)
    expect(await answer.text()).toContain(said)
    expect((await now())?.revision).toBe(1)
  })

  it('is refused twice at a time, with what to do first', async () => {
    const { ctx, send } = await ofMember()
    await send('rotate', { once: once({ ctx }) })
    const second = await send('rotate', { once: once({ ctx }) })
    expect(second.status).toBe(409)
    const html = await second.text()
    expect(html).toContain('two secrets work until')
    expect(fullKeyIn(html)).toBeNull()
  })
})
