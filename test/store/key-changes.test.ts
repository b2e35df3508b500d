import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrationsFolder } from '../../src/assets.ts'
import type { Key } from '../../src/core/keys/key.ts'
import { keyRing } from '../../src/core/keys/ring.ts'
import type { OpenStore } from '../../src/store/open.ts'
import { aKey, aRepo, entryOf, folder, furnished, later, NOW, storeIn } from '../support/store.ts'

/** The hashes that are told of as changed by this. */
async function changedBy(store: OpenStore, act: () => Promise<unknown>): Promise<string[] | null> {
  const { last } = await store.keys.changesAfter(null)
  await act()
  const { hashes } = await store.keys.changesAfter(last)
  return hashes && [...new Set(hashes)].sort()
}

it('tells of every secret that a change of any kind concerns, and of no other', async () => {
  const store = storeIn()
  const { workspace, user, key: add } = await furnished(store)
  const entry = entryOf('key.changed', workspace.id, 'x')
  const [person, next] = [await user(), aKey(workspace)]
  await store.members.add(workspace.id, person.id, 'member', NOW, entry)
  const [one, two, theirs] = [await add(), await add(), await add({ ownerId: person.id })]
  await add()
  const current = async (id: string) => (await store.keys.byId(workspace.id, id))!
  const rotated = { hash: next.hash, hint: 'h', overlapEndsAt: later(1000) }
  const both = [one.hash, next.hash].sort()
  const acts: [string, string[], () => Promise<unknown>][] = [
    ['added', [next.hash], () => store.keys.add(next.key, { hash: next.hash }, entry)],
    ['deleted', [next.hash], () => store.keys.remove(next.key, entry)],
    ['changed', [one.hash], () => store.keys.change(one.key, { name: 'other' }, entry)],
    ['rotated', both, async () => store.keys.rotate(await current(one.key.id), rotated, NOW, entry)],
    ['its overlap ended', both, async () => store.keys.finishRotation(await current(one.key.id), NOW, entry)],
    ['changed with two secrets', both, async () => store.keys.change(await current(one.key.id), {}, entry)],
    ['revoked as leaked', [two.hash], () => store.keys.revokeBySecret([two.hash, 'none'], NOW, 'leaked', () => entry)],
    [
      'its owner gone',
      [theirs.hash],
      () => store.members.remove(workspace.id, person.id, 'member', null, NOW, () => []),
    ],
    ['deleted with two secrets', both, async () => store.keys.remove(await current(one.key.id), entry)],
    ['something else changed', [], () => store.repos.add(aRepo(workspace), entryOf('repo.added', workspace.id, 'r'))],
    [
      'used',
      [],
      () =>
        store.uses.note(
          [{ keyId: two.key.id, at: NOW, ip: '::1', client: null, requests: 1 }],
          [{ hash: two.hash, at: NOW }],
        ),
    ],
  ]
  for (const [what, hashes, act] of acts) expect([what, await changedBy(store, act)]).toEqual([what, hashes])
})

it('tells of all the keys that go with their workspace', async () => {
  const store = storeIn()
  const { workspace, key: add } = await furnished(store)
  const hashes = [(await add()).hash, (await add()).hash].sort()
  expect(await changedBy(store, () => store.workspaces.remove(workspace.id, []))).toEqual(hashes)
})

it('tells of what another process, or a hand in the database, has done', async () => {
  const file = join(folder(), 'claviger.db')
  const [server, cli] = [storeIn(file), storeIn(file)]
  const { workspace, key: add } = await furnished(cli)
  const [{ key, hash }, other] = [await add(), await add()]
  const change = () => cli.keys.change(key, { disabledAt: NOW }, entryOf('key.disabled', workspace.id, key.id))
  expect(await changedBy(server, change)).toEqual([hash])
  const hand = new Database(file)
  hand.pragma('foreign_keys = OFF')
  const statements: [string, string, string][] = [
    ['update keys set scopes = ? where id = ?', '[]', key.id],
    ['update key_secrets set ends_at = ? where key_id = ?', '1', key.id],
    ['insert or replace into keys select * from keys where ? <> id and id = ?', '', key.id],
    ['delete from keys where ? <> id and id = ?', '', key.id],
  ]
  for (const [statement, ...values] of statements)
    expect(await changedBy(server, async () => hand.prepare(statement).run(...values))).toEqual([hash])
  const gone = async () => hand.prepare('delete from key_secrets where hash = ?').run(other.hash)
  expect(await changedBy(server, gone)).toEqual([other.hash])
  hand.close()
})

it('says so when more was changed than it remembers, or when what it remembered is gone', async () => {
  const file = join(folder(), 'claviger.db')
  const store = storeIn(file)
  const { key: add } = await furnished(store)
  const { hash } = await add()
  const hand = new Database(file)
  const revise = hand.prepare('update keys set revision = revision + 1')
  const times = (count: number) => async () =>
    hand.transaction(() => void Array.from({ length: count }, () => revise.run()))()
  expect(await changedBy(store, times(1999))).toEqual([hash])
  expect(await changedBy(store, times(2000))).toBeNull()
  expect(hand.prepare('select count(*) from key_changes').pluck().get()).toBe(2000)
  expect(await changedBy(store, async () => hand.exec('delete from key_changes'))).toBeNull()
  hand.close()
})

it('says so when the database was put back and has come to the same number by other changes', async () => {
  const home = folder()
  const [file, copy] = [join(home, 'claviger.db'), join(home, 'copy.db')]
  const store = storeIn(file)
  const { workspace, key: add } = await furnished(store)
  const [one, other] = [await add(), await add()]
  const hand = new Database(file)
  await hand.backup(copy)
  const saved = new Database(copy)
  const ring = keyRing({ store })
  const change = (key: Key) => store.keys.change(key, { name: 'other' }, entryOf('key.changed', workspace.id, key.id))
  await change(one.key)
  expect((await ring.find(other.hash))?.disabledAt).toBeNull()
  const { last } = await store.keys.changesAfter(null)
  await saved.backup(file)
  hand.prepare('update keys set disabled_at = 1 where id = ?').run(other.key.id)
  expect(hand.prepare('select max(number) from key_changes').pluck().get()).toBe(last!.number)
  expect((await store.keys.changesAfter(last)).hashes).toBeNull()
  expect((await ring.find(other.hash))?.disabledAt).not.toBeNull()
  saved.close()
  hand.close()
})

it('goes on with the numbers of the version before', async () => {
  const before = new Database(':memory:')
  const names = readdirSync(migrationsFolder()).sort()
  const run = (name: string) => before.exec(readFileSync(join(migrationsFolder(), name), 'utf8'))
  for (const name of names.filter((name) => name < '0012')) run(name)
  before.exec("insert into key_changes values (70, 'one')")
  run('0012-key-change-marks.sql')
  expect(before.prepare('select number, hash, length(mark) as mark from key_changes').all()).toEqual([
    { number: 71, hash: '', mark: 16 },
  ])
  before.close()
})
