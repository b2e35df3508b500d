import { randomUUID } from 'node:crypto'
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Key, type KeyState, stateOf } from '../../src/core/keys/key.ts'
import { KEY_SORTS, type KeyQuery, type KeySort, type KeyWithUse } from '../../src/core/store.ts'
import { FEW } from '../../src/store/key-lists.ts'
import { openStore } from '../../src/store/open.ts'
import { aWorkspace, entryOf, folder, furnished, later, NOW, secrets, storeIn } from '../support/store.ts'

const HOUR = 3_600_000
const MANY = FEW + 200

/** More than are sorted at once, in every state, and some of another workspace between them. */
async function world() {
  const file = `${folder()}/claviger.db`
  const store = openStore(file, secrets, NOW)
  const { workspace, owner, key: add } = await furnished(store)
  const other = aWorkspace()
  await store.workspaces.add(other, null, [])
  const pattern = (await add({ name: 'pattern', hint: 'clv_live_…x' })).key // a hint by chance would now and then be found
  const raw = new Database(file)
  const row = raw.prepare('select * from keys').get() as Record<string, unknown>
  const names = Object.keys(row)
  const insert = raw.prepare(`insert into keys (${names}) values (${names.map((name) => `@${name}`)})`)
  const use = raw.prepare('update key_use set last_used_at = ? where key_id = ?')
  raw.transaction(() => {
    for (let i = 0; i < MANY; i++) {
      const id = `key_${String(i).padStart(12, '0')}${randomUUID()}`
      const at = NOW.getTime()
      insert.run({
        ...row,
        id,
        workspace_id: i % 10 === 9 ? other.id : workspace.id,
        name: `${['Zulu', 'alpha', 'Übung', 'beta'][i % 4]} ${i % 7}`,
        hint: `clv_live_${i}…x`,
        description: i % 50 === 0 ? 'Röntgen room' : null,
        environment: i % 40 === 0 ? 'test' : 'live',
        type: i % 60 === 1 ? 'unrestricted' : 'restricted',
        owner_id: i % 30 === 2 ? owner.id : null,
        mcp_access:
          i % 5 === 0
            ? '{"mode":"all"}'
            : JSON.stringify({ mode: 'selected', mcps: [{ slug: i % 70 === 3 ? 'docs' : 'docs-2', tools: null }] }),
        expires_at: i % 3 === 0 ? at + ((i % 11) - 5) * HOUR : null,
        not_before: i % 97 === 0 ? at + HOUR : null,
        disabled_at: i % 23 === 0 ? at : null,
        revoked_at: i % 29 === 0 ? at : null,
      })
      if (i % 2) use.run(at - (i % 13) * HOUR, id)
    }
  })()
  raw.close()
  const all: KeyWithUse[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await store.keys.list({ workspaceId: workspace.id, now: NOW }, { limit: 200, cursor })
    all.push(...page.items)
    if (!page.nextCursor) break
    cursor = page.nextCursor
  }
  return { store, workspace, other, owner, pattern, all }
}

let app: Awaited<ReturnType<typeof world>>
beforeAll(async () => {
  app = await world()
  return () => app.store.close()
})

async function walked(query: Partial<KeyQuery>, limit: number): Promise<KeyWithUse[]> {
  const found: KeyWithUse[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await app.store.keys.list({ workspaceId: app.workspace.id, now: NOW, ...query }, { limit, cursor })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    if (page.nextCursor) expect(page.nextCursor).toMatch(/^[\w-]{1,200}$/)
    found.push(...page.items)
    if (!page.nextCursor) return found
    cursor = page.nextCursor
  }
}

const PLACE: Record<KeySort, (key: KeyWithUse) => string | number> = {
  created: ({ id }) => id,
  name: ({ name }) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  last_used: ({ lastUsedAt }) => lastUsedAt?.getTime() ?? 0,
  expires: ({ expiresAt }) => expiresAt?.getTime() ?? Number.MAX_SAFE_INTEGER,
}

function sorted(keys: KeyWithUse[], sort: KeySort, order: 'asc' | 'desc'): string[] {
  const way = order === 'asc' ? 1 : -1
  const compare = (a: string | number, b: string | number) => (a < b ? -way : a > b ? way : 0)
  return keys.toSorted((a, b) => compare(PLACE[sort](a), PLACE[sort](b)) || compare(a.id, b.id)).map(({ id }) => id)
}

const FILTERS: [string, Partial<KeyQuery>, (key: KeyWithUse) => boolean][] = [
  ['all', {}, () => true],
  ['active or scheduled', { states: ['active', 'scheduled'] }, (key) => inState(key, 'active', 'scheduled')],
  ['disabled', { state: 'disabled' }, (key) => inState(key, 'disabled')],
  ['expired or revoked', { states: ['expired', 'revoked'] }, (key) => inState(key, 'expired', 'revoked')],
  ['scheduled', { state: 'scheduled' }, (key) => inState(key, 'scheduled')],
  ['of test', { environment: 'test' }, ({ environment }) => environment === 'test'],
  ['unrestricted', { type: 'unrestricted' }, ({ type }) => type === 'unrestricted'],
  ['for docs', { mcp: 'docs' }, ({ mcpAccess }) => mcpAccess.mode === 'all' || mcpAccess.mcps[0]!.slug === 'docs'],
  ['named alpha 3', { search: 'ALPHA 3' }, ({ name }) => name === 'alpha 3'],
  ['with an Ü, typed small', { search: 'übung' }, ({ name }) => name.startsWith('Übung')],
  ['with two letters', { search: 'zU' }, ({ name }) => name.startsWith('Zulu')],
  ['described', { search: 'röntgen' }, ({ description }) => description !== null],
  ['with what all have in their hint', { search: 'clv_live' }, () => true],
  [
    'alpha, in test, active',
    { search: 'alpha', environment: 'test', state: 'active' },
    (key) => key.name.startsWith('alpha') && key.environment === 'test' && inState(key, 'active'),
  ],
  ['nowhere', { search: 'nowhere' }, () => false],
]

function inState(key: Key, ...states: KeyState[]): boolean {
  return states.includes(stateOf(key, NOW))
}

it('holds enough for both ways of sorting', () => {
  expect(app.all.length).toBeGreaterThan(FEW)
  for (const [what, , fits] of FILTERS.slice(0, -2)) expect([what, app.all.some(fits)]).toEqual([what, true])
})

describe.each(FILTERS)('keys %s', (_what, filter, fits) => {
  it.each(KEY_SORTS.flatMap((sort) => [[sort, 'asc'] as const, [sort, 'desc'] as const]))(
    'come by %s %s, each once, page by page',
    async (sort, order) => {
      const expected = sorted(app.all.filter(fits), sort, order)
      for (const limit of [37, 200]) {
        const found = await walked({ ...filter, sort, order }, limit)
        expect(found.map(({ id }) => id)).toEqual(expected)
      }
    },
  )

  it('are counted in each state', async () => {
    const expected: Record<KeyState, number> = { active: 0, scheduled: 0, expired: 0, disabled: 0, revoked: 0 }
    for (const key of app.all.filter(fits)) expected[stateOf(key, NOW)]++
    expect(await app.store.keys.tally({ workspaceId: app.workspace.id, now: NOW, ...filter })).toEqual(expected)
  })
})

describe('lists', () => {
  it('begin, unless told, with the newest, the latest used, the first by name and the first to end', async () => {
    for (const [sort, order] of [
      ['created', 'desc'],
      ['last_used', 'desc'],
      ['name', 'asc'],
      ['expires', 'asc'],
    ] as const) {
      const [one, other] = [await walked({ sort }, 200), await walked({ sort, order }, 200)]
      expect([sort, one.map(({ id }) => id)]).toEqual([sort, other.map(({ id }) => id)])
    }
  })

  it('begin again at a cursor that is none', async () => {
    const query = { workspaceId: app.workspace.id, now: NOW }
    const first = await app.store.keys.list(query, { limit: 3, cursor: null })
    for (const cursor of [
      'x',
      'bnVsbA',
      Buffer.from('[{}, 1]').toString('base64url'),
      Buffer.from('[1]').toString('base64url'),
    ])
      expect(await app.store.keys.list(query, { limit: 3, cursor })).toEqual(first)
  })

  it('end where another workspace begins', async () => {
    const query = { workspaceId: app.other.id, now: NOW, search: 'alpha' }
    const { items } = await app.store.keys.list(query, { limit: 200, cursor: null })
    expect(items.length).toBeGreaterThan(0)
    expect(items.every(({ workspaceId }) => workspaceId === app.other.id)).toBe(true)
  })
})

describe('what a search knows', () => {
  it('follows every change of a key', async () => {
    const store = storeIn()
    const { workspace, key: add } = await furnished(store)
    const { key } = await add({ name: 'first', description: 'of the laboratory' })
    const found = async (search: string) =>
      (await store.keys.list({ workspaceId: workspace.id, now: NOW, search }, { limit: 5, cursor: null })).items.length
    expect([await found('first'), await found('labor'), await found('second')]).toEqual([1, 1, 0])
    const entry = entryOf('key.changed', workspace.id, key.id)
    const renamed = await store.keys.change(key, { name: 'second', description: null }, entry)
    expect([await found('first'), await found('labor'), await found('second')]).toEqual([0, 0, 1])
    const rotated = await store.keys.rotate(
      renamed!,
      { hash: 'h', hint: 'clv_live_new', overlapEndsAt: later(1) },
      NOW,
      entry,
    )
    expect([await found(key.hint), await found('clv_live_new')]).toEqual([0, 1])
    await store.keys.remove(rotated!, entry)
    expect(await found('second')).toBe(0)
  })

  it.each(['"', '%', '_ ', '\\', '"quoted"', "o'clock", '100%_', 'AND OR', '*', '(', 'nul\0byte'])(
    'takes %j as text',
    async (sign) => {
      const store = storeIn()
      const { workspace, key: add } = await furnished(store)
      await add({ name: `with ${sign} in it` })
      await add({ name: 'without' })
      const query = { workspaceId: workspace.id, now: NOW, search: sign }
      expect((await store.keys.list(query, { limit: 5, cursor: null })).items).toHaveLength(1)
    },
  )

  it('is emptied with the workspace', async () => {
    const file = `${folder()}/claviger.db`
    const store = storeIn(file)
    const { workspace, key: add } = await furnished(store)
    await add({ name: 'of a workspace' })
    await store.workspaces.remove(workspace.id, [])
    const reader = new Database(file)
    const count = (table: string) => reader.prepare(`select count(*) from ${table}`).pluck().get()
    expect([count('key_texts'), count('key_use')]).toEqual([0, 0])
    reader.prepare("insert into key_words (key_words) values ('integrity-check')").run()
    reader.close()
  })
})
