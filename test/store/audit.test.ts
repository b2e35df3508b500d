import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { INSTANCE, verifyChain } from '../../src/core/audit.ts'
import { databaseFile } from '../../src/store/data-dir.ts'
import type { OpenStore } from '../../src/store/open.ts'
import { terminal } from '../cli/terminal.ts'
import {
  aKey,
  anInvitation,
  anMcp,
  aRepo,
  aSession,
  aUser,
  aWorkspace,
  entryOf,
  folder,
  furnished,
  later,
  NOW,
  secrets,
  storeIn,
} from '../support/store.ts'

const whole = async (store: OpenStore, chain: string) =>
  verifyChain(secrets.audit, chain, store.audit.lines(chain), await store.audit.head(chain))

it('gives lines back as they were sealed, of any text', async () => {
  const store = storeIn()
  const odd = ['\ud800', 'a\0b', '😀', '\u2028', '"\\', "'; drop table audit; --", 'x'.repeat(10_000)]
  for (const text of odd) {
    const more = { before: { text, at: NOW, none: undefined, 2: 'b', 1: 'a' }, after: { [text]: [text, { text }] } }
    await store.audit.add(entryOf('key.changed', 'wsp_1', text, more))
  }
  expect(await whole(store, 'wsp_1')).toEqual({ ok: true, checked: odd.length })
})

it('lists the newest first, by action and subject, in pages', async () => {
  const store = storeIn()
  for (let n = 1; n <= 5; n++)
    await store.audit.add(entryOf(n % 2 ? 'key.created' : 'key.revoked', 'wsp_1', `key_${n}`, { at: later(n) }))
  const of = (query: object, page: { limit: number; cursor: string | null } = { limit: 2, cursor: null }) =>
    store.audit.list({ chain: 'wsp_1', ...query }, page)
  const first = await of({})
  expect(first.items.map(({ seq }) => seq)).toEqual([5, 4])
  expect((await of({}, { limit: 3, cursor: first.nextCursor })).items.map(({ seq }) => seq)).toEqual([3, 2, 1])
  expect((await of({ action: 'key.revoked' })).items.map(({ seq }) => seq)).toEqual([4, 2])
  expect((await of({ subjectId: 'key_3' })).items.map(({ seq }) => seq)).toEqual([3])
  expect(await store.audit.list({ chain: 'other' }, { limit: 2, cursor: null })).toEqual({
    items: [],
    nextCursor: null,
  })
  expect(await store.audit.chains()).toEqual(['wsp_1'])
  expect(await store.audit.head('other')).toBeNull()
})

it('walks a chain that is longer than one read', async () => {
  const store = storeIn()
  for (let n = 0; n < 1005; n++) await store.audit.add(entryOf('key.changed', 'wsp_1', 'key_1'))
  expect(await whole(store, 'wsp_1')).toEqual({ ok: true, checked: 1005 })
})

it('is one chain whoever writes at once', async () => {
  const file = join(folder(), 'claviger.db')
  const store = storeIn(file)
  await Promise.all(Array.from({ length: 30 }, (_, n) => store.audit.add(entryOf('key.changed', 'wsp_1', `key_${n}`))))
  const other = storeIn(file)
  await other.audit.add(entryOf('key.changed', 'wsp_1', 'key_31'))
  await store.audit.add(entryOf('key.changed', 'wsp_1', 'key_32'))
  expect(await whole(other, 'wsp_1')).toEqual({ ok: true, checked: 32 })
})

describe('a change whose audit line cannot be written', () => {
  /** Every method that changes something; a new one is missed by nobody, since the list is checked against the port. */
  async function acts(store: OpenStore) {
    const { workspace, owner, user, key: add } = await furnished(store)
    const { key, hash } = await add()
    const [bo, cy] = [await user({ passwordHash: 'old' }), await user()]
    const entry = entryOf('key.changed', workspace.id, 'x')
    await store.members.add(workspace.id, bo.id, 'member', NOW, entry)
    const session = aSession(bo)
    await store.sessions.add(session, 'old', 'session', entry)
    await store.invitations.add(anInvitation(workspace, { id: 'inv_1' }), 'invite', entry)
    const mcp = anMcp(workspace)
    await store.mcps.add(mcp, entry)
    const repo = aRepo(workspace)
    await store.repos.add(repo, entry)
    const fresh = aKey(workspace)
    const changes: Record<string, () => Promise<unknown>> = {
      'setup.addLink': () => store.setup.addLink('link', later(1), entry),
      'users.add': () => store.users.add(aUser(), entry),
      'users.change': () => store.users.change(bo.id, { name: 'New' }, entry),
      'users.changePassword': () => store.users.changePassword(bo.id, 'new', null, entry),
      'users.remove': () => store.users.remove(bo.id, entry),
      'sessions.add': () => store.sessions.add(aSession(bo), 'old', 'another', entry),
      'sessions.end': () => store.sessions.end(session.id, entry),
      'sessions.endAll': () => store.sessions.endAll(bo.id, null, entry),
      'workspaces.add': () => store.workspaces.add(aWorkspace(), owner.id, [entry]),
      'workspaces.rename': () => store.workspaces.rename(workspace.id, 'New', entry),
      'workspaces.remove': () => store.workspaces.remove(workspace.id, [entry]),
      'members.add': () => store.members.add(workspace.id, cy.id, 'member', NOW, entry),
      'members.setRole': () => store.members.setRole(workspace.id, bo.id, 'member', 'admin', entry),
      'members.handOver': () =>
        store.members.handOver(workspace.id, owner.id, { userId: bo.id, role: 'member' }, [entry]),
      'members.remove': () => store.members.remove(workspace.id, bo.id, 'member', null, NOW, () => [entry]),
      'invitations.add': () => store.invitations.add(anInvitation(workspace), 'other', entry),
      'invitations.accept': () => store.invitations.accept('invite', cy.id, null, NOW, [entry]),
      'invitations.revoke': () => store.invitations.revoke(workspace.id, 'inv_1', entry),
      'keys.add': () => store.keys.add(fresh.key, { hash: fresh.hash }, entry),
      'keys.change': () => store.keys.change(key, { revokedAt: NOW }, entry),
      'keys.rotate': () => store.keys.rotate(key, { hash: fresh.hash, hint: 'h', overlapEndsAt: NOW }, NOW, entry),
      'keys.finishRotation': () => store.keys.finishRotation(key, NOW, entry),
      'keys.revokeBySecret': () => store.keys.revokeBySecret([hash], NOW, 'leaked', () => entry),
      'keys.remove': () => store.keys.remove(key, entry),
      'mcps.add': () => store.mcps.add(anMcp(workspace, { slug: 'new' }), entry),
      'mcps.change': () => store.mcps.change({ ...mcp, name: 'New', revision: 2 }, entry),
      'mcps.remove': () => store.mcps.remove(mcp, entry),
      'repos.add': () => store.repos.add(aRepo(workspace, { name: 'new' }), entry),
      'repos.change': () => store.repos.change({ ...repo, name: 'renamed', revision: 2 }, entry),
      'repos.remove': () => store.repos.remove(repo, entry),
      'workspaces.furnish': () =>
        store.workspaces.furnish(workspace.id, {
          mcp: anMcp(workspace, { slug: 'docs' }),
          repo: aRepo(workspace, { name: 'claviger' }),
          entries: [entry],
        }),
      'audit.add': () => store.audit.add(entry),
    }
    return changes
  }

  /** Every row of every table, but for what no entry belongs to. */
  function everything(file: string): object {
    const reader = new Database(file, { readonly: true })
    const tables = reader
      .prepare("select name from sqlite_schema where type = 'table' order by name")
      .pluck()
      .all() as string[]
    const all = Object.fromEntries(tables.map((name) => [name, reader.prepare(`select * from ${name}`).all()]))
    reader.close()
    return all
  }

  it.each(['audit', 'audit_heads'])('does not happen: %s', async (table) => {
    const file = join(folder(), 'claviger.db')
    const store = storeIn(file)
    const changes = await acts(store)
    const breaker = new Database(file)
    breaker.exec(`create trigger broken before insert on ${table} begin select raise(abort, 'the audit is full'); end;
      create trigger broken_too before update on ${table} begin select raise(abort, 'the audit is full'); end`)
    breaker.close()
    const before = everything(file)
    for (const [name, change] of Object.entries(changes)) {
      await expect(change(), name).rejects.toThrow('the audit is full')
      expect([name, everything(file)]).toEqual([name, before])
    }
    const mender = new Database(file)
    mender.exec('drop trigger broken; drop trigger broken_too')
    mender.close()
    for (const name of ['keys.change', 'members.setRole', 'audit.add']) {
      await changes[name]!()
      expect([name, everything(file)]).not.toEqual([name, before])
    }
  })

  const NOUNS: Record<string, string> = { Setup: 'setup', Audit: 'audit' }

  it('is a change that takes an entry in the port', async () => {
    const port = await Bun.file(join(import.meta.dirname, '../../src/core/store.ts')).text()
    const names: string[] = []
    for (const [, noun, body] of port.matchAll(/export type (\w+)Store = \{\n([\s\S]*?)\n\}/g))
      for (const method of body!.split(/^ {2}(?=\w+\()/m))
        if (/AuditEntry|Furniture/.test(method))
          // which brings its entries along
          names.push(`${NOUNS[noun!] ?? `${noun!.toLowerCase()}s`}.${/^\w+/.exec(method)![0]}`)
    const covered = Object.keys(await acts(storeIn()))
    expect(covered.sort()).toEqual(names.filter((name) => name !== 'setup.complete').sort())
  })

  it('is not the set-up either', async () => {
    const file = join(folder(), 'claviger.db')
    const store = storeIn(file)
    const breaker = new Database(file)
    breaker.exec("create trigger broken before insert on audit begin select raise(abort, 'the audit is full'); end")
    breaker.close()
    await expect(furnished(store)).rejects.toThrow('the audit is full')
    expect([await store.setup.done(), await store.users.list(), await store.workspaces.list()]).toEqual([false, [], []])
  })
})

describe('`claviger audit verify`', () => {
  async function filled() {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    for (const name of ['one', 'two', 'three']) await shell.good('keys', 'create', '--name', name)
    const [{ id }] = await shell.json('workspaces', 'list')
    const edit = (sql: string, ...values: unknown[]) => {
      const connection = new Database(databaseFile(shell.dataDir))
      const { changes } = connection.prepare(sql).run(...values)
      connection.close()
      expect(changes).toBeGreaterThan(0)
    }
    return { ...shell, id: id as string, edit }
  }

  it('finds all whole, and exits 0', async () => {
    const { claviger, id } = await filled()
    const { code, out } = await claviger('audit', 'verify', '--json')
    expect(code).toBe(0)
    const said = JSON.parse(out)
    expect(said.ok).toBe(true)
    expect(said.chains.map(({ chain }: { chain: string }) => chain)).toEqual([INSTANCE, id].sort())
  })

  it.each<[string, string, string]>([
    ['an edited line', "update audit set subject_label = 'x' where chain = $id and seq = 3", 'line 3: was changed'],
    ['an edited time', 'update audit set at = at + 1 where chain = $id and seq = 2', 'line 2: was changed'],
    [
      'a time beyond all calendars',
      'update audit set at = 9000000000000000000 where chain = $id and seq = 2',
      'line 2: was changed',
    ],
    ['what is no JSON', "update audit set after = '{' where chain = $id and seq = 2", 'line 2: was changed'],
    ['a removed line', 'delete from audit where chain = $id and seq = 2', 'line 2: a line is missing'],
    ['a removed first line', 'delete from audit where chain = $id and seq = 1', 'line 1: a line is missing'],
    ['a cut-off end', 'delete from audit where chain = $id and seq = 6', 'missing at the end'],
    [
      'a head that was moved back',
      'update audit_heads set seq = 3, hash = (select hash from audit where chain = $id and seq = 3) where chain = $id',
      'not signed by this instance',
    ],
    ['a removed head', 'delete from audit_heads where chain = $id', 'signed head is missing'],
    ['a forged head', "update audit_heads set signature = 'x' where chain = $id", 'not signed by this instance'],
    [
      'lines that were moved away',
      "update audit set chain = 'wsp_other' where chain = $id and seq = 6",
      'missing at the end',
    ],
    [
      'a line put in front',
      'insert into audit select chain, 0, at, actor_kind, actor_id, actor_label, address, request_id, action, subject_kind, subject_id, subject_label, before, after, previous, hash from audit where chain = $id and seq = 1',
      'line 1',
    ],
    ['a whole chain that is gone', 'delete from audit where chain = $id', 'missing at the end'],
    [
      'an instance chain that is gone',
      "delete from audit where chain = 'instance' and $id != ''",
      'missing at the end',
    ],
  ])('finds %s, says which, and exits 1', async (_what, sql, says) => {
    const { claviger, id, edit } = await filled()
    edit(sql.replaceAll('$id', `'${id}'`))
    const { code, err } = await claviger('audit', 'verify')
    expect(code).toBe(1)
    expect(err).toContain(says)
    for (const chain of [['--instance'], ['--workspace', 'main']])
      expect((await claviger('audit', 'list', '--json', ...chain)).code).toBe(0)
    const asJson = await claviger('audit', 'verify', '--json')
    expect([asJson.code, JSON.parse(asJson.out).ok]).toEqual([1, false])
  })

  it('finds a chain that is gone with its head, of a workspace that lives or was deleted', async () => {
    for (const deleted of [false, true]) {
      const { claviger, good, id, edit } = await filled()
      if (deleted) await good('workspaces', 'delete', 'main', '--yes')
      edit('delete from audit where chain = ?', id)
      edit('delete from audit_heads where chain = ?', id)
      const { code, err } = await claviger('audit', 'verify')
      expect([code, err]).toEqual([1, `Chain ${id}, line 1: the signed head is missing. Compare with a backup.\n`])
    }
  })
})
