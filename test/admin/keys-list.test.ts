import { describe, expect, it } from 'vitest'
import { disable, revoke } from '../../src/core/keys/lifecycle.ts'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { operator, robot, start } from '../support/start.ts'

const KEYS = '/admin/w/main/keys'
const DAY_MS = 86_400_000

async function list(role: 'viewer' | 'member' | 'admin' = 'viewer') {
  const started = await start()
  const { cookie, caller } = await started.person(role)
  return {
    ...started,
    caller,
    cookie,
    page: async (query = '', headers: Record<string, string> = {}) =>
      (await started.call('GET', KEYS + query, { cookie, headers })).text(),
    used: (keyId: string) =>
      started.ctx.store.uses.note([{ keyId, at: started.ctx.now(), ip: '::1', client: 'x', requests: 1 }]),
  }
}

const namesIn = (html: string) => [...html.matchAll(/cell-name"><a[^>]*>([^<]+)/g)].map(([, name]) => name!)
const tabsIn = (html: string) =>
  [
    .../<nav class="tabs"[\s\S]*?<\/nav>/
      .exec(html)![0]
      .matchAll(/<a href="([^"]+)"( aria-current="page")?>([^<]+) <span class="count">(\d+)/g),
  ].map(([, href, current, label, count]) => ({
    query: href!.replaceAll('&amp;', '&').slice(KEYS.length),
    current: Boolean(current),
    said: `${label} ${count}`,
  }))
const headIn = (html: string, name: string) => {
  const [, sorted, href] = new RegExp(
    `<th scope="col"[^>]*?(?: aria-sort="(\\w+)")?><a class="sort" id="sort-enabled-${name}" href="([^"]+)"`,
  ).exec(html)!
  return { sorted, query: href!.replaceAll('&amp;', '&').slice(KEYS.length) }
}

describe('a key that leaked', () => {
  it('is told of above the list for seven days, and its reason stands in its row', async () => {
    const { key, page, post, advance, person, call } = await list()
    const { key: leaked, fullKey } = await key({ name: 'in a gist' })
    expect(await page()).not.toContain('leaked')
    await post('/api/v1/keys/report-leak', { keys: [fullKey] })
    const html = await page()
    expect(html).toContain('A key leaked.')
    expect(html).toContain(`href="${KEYS}/${leaked.id}#activity"`)
    expect(/<td data-label="Status"[\s\S]*?<\/td>/.exec(html)![0]).toContain('>leaked<')
    advance(1000)
    const { fullKey: second } = await key({ name: 'in a log' })
    await post('/api/v1/keys/report-leak', { keys: [second] })
    expect(await page()).toMatch(/2 keys leaked\.[\s\S]*in a log \(clv_live_[^)]*\) and in a gist \(clv_live_/)
    advance(7 * DAY_MS + 1)
    const { cookie } = await person('viewer')
    expect(await (await call('GET', KEYS, { cookie })).text()).not.toContain('leaked.')
  })

  it('of another workspace, or that was revoked for another reason, is not told of', async () => {
    const { key, page, post, ctx, workspace } = await list()
    const other = await createWorkspace(ctx, robot, null, 'Other')
    const { fullKey } = await key({}, other.id)
    await post('/api/v1/keys/report-leak', { keys: [fullKey] })
    const { key: lost } = await key()
    await revoke(ctx, operator, workspace.id, lost.id, 'laptop lost')
    const html = await page()
    expect(html).toContain('>laptop lost<')
    expect(html).not.toContain('leaked.')
  })
})

describe('the tabs of the list', () => {
  it('count what matches, and keep what was searched for', async () => {
    const { key, page, ctx, workspace } = await list()
    await key({ name: 'build one' })
    await key({ name: 'build two' })
    await key({ name: 'other' })
    const off = await key({ name: 'build off' })
    await disable(ctx, operator, workspace.id, off.key.id)
    const html = await page('?q=build&sort=name')
    const tabs = tabsIn(html)
    expect(tabs.map(({ said }) => said)).toEqual(['All 3', 'Enabled 2', 'Disabled 1', 'Expired and revoked 0'])
    expect(tabs.map(({ current }) => current)).toEqual([true, false, false, false])
    const disabled = await page(tabs[2]!.query)
    expect(namesIn(disabled)).toEqual(['build off'])
    expect(tabsIn(disabled)[2]!.current).toBe(true)
    expect(namesIn(await page(tabsIn(disabled)[0]!.query))).toEqual(['build one', 'build two', 'build off'])
    expect(await page(tabs[3]!.query)).toContain('Other tabs have keys that match.')
  })
})

describe('the search of the list', () => {
  it('promises only what it does', async () => {
    const { key, page } = await list()
    await key({ name: 'known' })
    const html = await page('?q=nothing')
    expect(html).toContain('names, descriptions and hints.')
    expect(html).toContain('placeholder="Name, description or hint"')
  })
})

describe('what a row offers', () => {
  it('is no rotation of a key that is disabled and over', async () => {
    const { key, page, ctx, workspace, advance, call, person } = await list('admin')
    const { key: off } = await key({ expiresAt: new Date(ctx.now().getTime() + DAY_MS) })
    await disable(ctx, operator, workspace.id, off.id)
    expect(await page()).toContain(`${KEYS}/${off.id}/rotate`)
    advance(DAY_MS)
    const { cookie } = await person('admin')
    for (const path of [KEYS, `${KEYS}/${off.id}`])
      expect(await (await call('GET', path, { cookie })).text()).not.toContain(`${KEYS}/${off.id}/rotate`)
  })

  it.each([
    ['it has expired', { expiresAt: new Date('2026-06-02') }, 'has expired'],
    ['it is not valid yet', { notBefore: new Date('2027-01-01') }, 'not valid yet'],
    ['it works', {}, 'works again from its next request on'],
  ])('says after enabling that %s', async (_what, wanted, says) => {
    const { key, ctx, workspace, advance, call, person } = await list('admin')
    const { key: off } = await key(wanted)
    await disable(ctx, operator, workspace.id, off.id)
    advance(2 * DAY_MS)
    const { cookie } = await person('admin')
    const enable = () =>
      call('POST', `${KEYS}/${off.id}/enable`, { cookie, form: {}, headers: { 'hx-request': 'true' } })
    expect(await (await enable()).text()).toContain(says)
  })
})

describe('the filters of the list', () => {
  it('narrow it to a type, and to whose keys they are', async () => {
    const { key, page, caller } = await list('member')
    await key({ name: 'free', type: 'unrestricted' })
    await key({ name: 'own' }, undefined, caller)
    await key({ name: 'own and free', type: 'unrestricted' }, undefined, caller)
    expect(namesIn(await page('?type=unrestricted&sort=name'))).toEqual(['free', 'own and free'])
    expect(namesIn(await page('?mine=yes&sort=name'))).toEqual(['own', 'own and free'])
    const both = await page('?mine=yes&type=unrestricted')
    expect(namesIn(both)).toEqual(['own and free'])
    expect(both).toMatch(/value="unrestricted" selected/)
    expect(both).toMatch(/name="mine" value="yes" checked/)
    expect(namesIn(await page('?type=any&mine=&sort=name'))).toHaveLength(3)
  })

  it('show nothing of another workspace', async () => {
    const { ctx, key, page } = await list()
    const other = await createWorkspace(ctx, robot, null, 'Other')
    await key({ name: 'theirs', notBefore: new Date('2027-01-01') }, other.id)
    await key({ name: 'theirs too' }, other.id)
    await key({ name: 'ours' })
    for (const query of ['', '?sort=name', '?sort=unused', '?q=s', '?section=enabled', '?type=restricted'])
      expect([query, namesIn(await page(query))]).toEqual([query, ['ours']])
  })

  it('leave a way out of a search that finds nothing', async () => {
    const { key, page } = await list()
    await key({ name: 'build' })
    const html = await page('?q=nothing')
    expect(html).toContain('No key matches')
    expect(html).toContain(`href="${KEYS}">Show all keys`)
  })
})

describe('the columns of the list', () => {
  it('sort it, and the other way round when asked again', async () => {
    const { key, page, used, advance, person, call } = await list()
    const made = async (name: string, days: number | null) => {
      advance(60_000)
      const expiresAt = days === null ? null : new Date(Date.parse('2026-06-01T12:00:00Z') + days * DAY_MS)
      return (await key({ name, expiresAt })).key.id
    }
    const b = await made('b', 20)
    const a = await made('a', null)
    await made('c', 10)
    for (const id of [a, b]) {
      advance(60_000)
      await used(id)
    }
    const { cookie } = await person('viewer')
    const see = async (query: string) => (await call('GET', KEYS + query, { cookie })).text()
    const first = await page()
    expect([headIn(first, 'created').sorted, namesIn(first)]).toEqual(['descending', ['c', 'a', 'b']])
    const expected = {
      name: [
        ['ascending', 'a', 'b', 'c'],
        ['descending', 'c', 'b', 'a'],
      ],
      last_used: [
        ['descending', 'b', 'a', 'c'],
        ['ascending', 'c', 'a', 'b'],
      ],
      expires: [
        ['ascending', 'c', 'b', 'a'],
        ['descending', 'a', 'b', 'c'],
      ],
    }
    for (const [column, [usual, reverse]] of Object.entries(expected)) {
      const once = await see(headIn(first, column).query)
      expect([headIn(once, column).sorted, ...namesIn(once)]).toEqual(usual)
      expect(headIn(once, 'created').sorted).toBeUndefined()
      const twice = await see(headIn(once, column).query)
      expect([headIn(twice, column).sorted, ...namesIn(twice)]).toEqual(reverse)
    }
    const oldest = await see(headIn(first, 'created').query)
    expect([headIn(oldest, 'created').sorted, namesIn(oldest)]).toEqual(['ascending', ['b', 'a', 'c']])
  })

  it('keep their order from page to page', async () => {
    const { key, page } = await list()
    const names = Array.from(
      { length: 60 },
      (_, i) => `${String.fromCharCode(97 + (i % 26))}-${i} ${'long '.repeat(18)}`,
    )
    for (const name of names) await key({ name })
    const first = await page('?section=enabled&sort=name')
    const second = await page(/rel="next" href="([^"]+)"/.exec(first)![1]!.replaceAll('&amp;', '&').slice(KEYS.length))
    const expected = names.map((name) => name.trim()).sort()
    expect([...namesIn(first), ...namesIn(second)]).toEqual(expected)
    const back = await page(/rel="prev" href="([^"]+)"/.exec(second)![1]!.replaceAll('&amp;', '&').slice(KEYS.length))
    expect(namesIn(back)).toEqual(namesIn(first))
  })
})

describe('the list for htmx', () => {
  it('is a piece while somebody types, and a page where a part of it is selected', async () => {
    const { key, page } = await list()
    await key({ name: 'build' })
    const piece = await page('?q=build', { 'hx-request': 'true', 'hx-request-type': 'partial' })
    expect(piece).not.toContain('<html')
    expect(piece).toMatch(/data-announce>1 key found\./)
    const whole = await page('?sort=name', { 'hx-request': 'true', 'hx-request-type': 'full' })
    expect(whole).toContain('<html')
    expect(whole).not.toContain('data-announce')
  })
})

it('offers to import keys to admins alone', async () => {
  for (const [role, offered] of [
    ['viewer', false],
    ['member', false],
    ['admin', true],
  ] as const) {
    const { page, key } = await list(role)
    expect([role, (await page()).includes('/keys/import')]).toEqual([role, offered])
    await key()
    expect([role, (await page()).includes('/keys/import')]).toEqual([role, offered])
  }
})
