import { describe, expect, it } from 'vitest'
import { INSTANCE } from '../../src/core/audit.ts'
import { stateOf } from '../../src/core/keys/key.ts'
import {
  aKey,
  anInvitation,
  anMcp,
  aSession,
  aUser,
  aWorkspace,
  entryOf,
  furnished,
  later,
  NOW,
  storeIn,
} from '../support/store.ts'

const ALL = { limit: 200, cursor: null }

describe('setup', () => {
  it('makes the first owner once, and no second', async () => {
    const store = storeIn()
    expect(await store.setup.done()).toBe(false)
    const { owner, workspace } = await furnished(store)
    expect(await store.setup.done()).toBe(true)
    expect(await store.members.roleOf(workspace.id, owner.id)).toBe('owner')
    const another = aUser({ instanceOwner: true })
    expect(await store.setup.complete(null, another, aWorkspace(), NOW, [])).toBe(false)
    expect(await store.users.byId(another.id)).toBeNull()
  })

  it('uses a link up, and knows an old, a replaced and a foreign one from a good one', async () => {
    const store = storeIn()
    const entry = entryOf('setup_link.created', INSTANCE, INSTANCE)
    const complete = (hash: string, now: Date) =>
      store.setup.complete(hash, aUser({ instanceOwner: true }), aWorkspace(), now, [])
    await store.setup.addLink('first', later(1000), entry)
    expect(await store.setup.linkIsGood('first', later(999))).toBe(true)
    expect(await store.setup.linkIsGood('first', later(1000))).toBe(false)
    expect(await store.setup.linkIsGood('other', NOW)).toBe(false)
    await store.setup.addLink('second', later(1000), entry)
    expect(await store.setup.linkIsGood('first', NOW)).toBe(false)
    for (const [hash, now] of [
      ['first', NOW],
      ['second', later(1000)],
      ['other', NOW],
    ] as const)
      expect(await complete(hash, now)).toBe(false)
    expect(await complete('second', NOW)).toBe(true)
    expect(await store.setup.linkIsGood('second', NOW)).toBe(false)
  })

  it('makes one owner of two who come at once', async () => {
    const store = storeIn()
    await store.setup.addLink('link', later(1000), entryOf('setup_link.created', INSTANCE, INSTANCE))
    const both = [aUser({ instanceOwner: true }), aUser({ instanceOwner: true })]
    const made = await Promise.all(both.map((user) => store.setup.complete('link', user, aWorkspace(), NOW, [])))
    expect(made.sort()).toEqual([false, true])
    expect(await store.users.list()).toHaveLength(1)
  })

  it('makes nothing when the workspace’s slug or the address is taken', async () => {
    const store = storeIn()
    const taken = aWorkspace({ slug: 'main' })
    await store.workspaces.add(taken, null, [])
    await store.setup.addLink('link', later(1000), entryOf('setup_link.created', INSTANCE, INSTANCE))
    const owner = aUser({ instanceOwner: true })
    await expect(store.setup.complete('link', owner, aWorkspace({ slug: 'main' }), NOW, [])).rejects.toThrow(
      'There is a workspace main already',
    )
    expect([await store.setup.done(), await store.users.byId(owner.id)]).toEqual([false, null])
    expect(await store.setup.linkIsGood('link', NOW)).toBe(true)
    await store.users.add(aUser({ email: owner.email }), entryOf('user.created', INSTANCE, 'x'))
    await expect(store.setup.complete('link', owner, aWorkspace(), NOW, [])).rejects.toThrow('There is an account')
    expect(await store.setup.done()).toBe(false)
  })
})

describe('users', () => {
  it('are found by id and by address, however it is written', async () => {
    const store = storeIn()
    const { user } = await furnished(store)
    const ana = await user({ email: 'Ana@Example.com' })
    const kept = { ...ana, email: 'ana@example.com' }
    expect(await store.users.byId(ana.id)).toEqual(kept)
    expect(await store.users.byEmail('ANA@example.com')).toEqual(kept)
    expect([await store.users.byId('x'), await store.users.byEmail('x')]).toEqual([null, null])
    expect((await store.users.list()).map(({ email }) => email)).toContain('ana@example.com')
  })

  it('have an address of their own', async () => {
    const store = storeIn()
    const { user, actions } = await furnished(store)
    await user({ email: 'ana@example.com' })
    const before = await actions(INSTANCE)
    expect(await store.users.add(aUser({ email: 'ANA@example.com' }), entryOf('user.created', INSTANCE, 'x'))).toBe(
      false,
    )
    expect(await actions(INSTANCE)).toEqual(before)
  })

  it('change what is named and nothing else', async () => {
    const store = storeIn()
    const { user } = await furnished(store)
    const ana = await user()
    await store.users.change(ana.id, { name: 'Ana Maria' }, entryOf('user.renamed', INSTANCE, ana.id))
    expect(await store.users.byId(ana.id)).toEqual({ ...ana, name: 'Ana Maria' })
    await store.users.change(ana.id, { passwordHash: 'new' }, entryOf('user.password_changed', INSTANCE, ana.id))
    expect(await store.users.byId(ana.id)).toEqual({ ...ana, name: 'Ana Maria', passwordHash: 'new' })
  })

  it('end every other session with a new password', async () => {
    const store = storeIn()
    const { user } = await furnished(store)
    const [ana, bo] = [await user(), await user()]
    const sessions = [aSession(ana), aSession(ana), aSession(bo)]
    for (const one of sessions)
      await store.sessions.add(one, 'h', one.id, entryOf('user.signed_in', INSTANCE, one.userId))
    const entry = entryOf('user.password_changed', INSTANCE, ana.id)
    await store.users.changePassword(ana.id, 'new', sessions[0]!.id, entry)
    expect((await store.sessions.ofUser(ana.id, NOW)).map(({ id }) => id)).toEqual([sessions[0]!.id])
    await store.users.changePassword(ana.id, 'newer', null, entry)
    expect(await store.sessions.ofUser(ana.id, NOW)).toEqual([])
    expect(await store.sessions.ofUser(bo.id, NOW)).toHaveLength(1)
    expect((await store.users.byId(ana.id))?.passwordHash).toBe('newer')
  })

  it('go with their sessions and memberships', async () => {
    const store = storeIn()
    const { user, workspace } = await furnished(store)
    const ana = await user()
    await store.members.add(workspace.id, ana.id, 'member', NOW, entryOf('member.added', workspace.id, ana.id))
    await store.sessions.add(aSession(ana), 'h', 'token', entryOf('user.signed_in', INSTANCE, ana.id))
    await store.users.remove(ana.id, entryOf('user.removed', INSTANCE, ana.id))
    expect([
      await store.users.byId(ana.id),
      await store.sessions.byToken('token'),
      await store.members.roleOf(workspace.id, ana.id),
    ]).toEqual([null, null, null])
  })

  it('leave no trace of what did not happen', async () => {
    const store = storeIn()
    const { actions } = await furnished(store)
    const before = await actions(INSTANCE)
    const entry = entryOf('user.removed', INSTANCE, 'gone')
    await store.users.change('gone', { name: 'x' }, entry)
    await store.users.changePassword('gone', 'x', null, entry)
    await store.users.remove('gone', entry)
    expect(await actions(INSTANCE)).toEqual(before)
  })
})

describe('sessions', () => {
  it('are found by their token, listed while they last, touched, ended and swept', async () => {
    const store = storeIn()
    const { user, actions } = await furnished(store)
    const ana = await user()
    const [short, long] = [
      aSession(ana, { endsAt: later(10) }),
      aSession(ana, { endsAt: later(20), lastSeenAt: later(1) }),
    ]
    const entry = entryOf('user.signed_in', INSTANCE, ana.id)
    expect(await store.sessions.add(short, 'h', 'short', entry)).toBe(true)
    expect(await store.sessions.add(long, 'h', 'long', entry)).toBe(true)
    expect(await store.sessions.byToken('short')).toEqual(short)
    expect(await store.sessions.byToken('other')).toBeNull()
    expect((await store.sessions.ofUser(ana.id, NOW)).map(({ id }) => id)).toEqual([long.id, short.id])
    expect((await store.sessions.ofUser(ana.id, later(10))).map(({ id }) => id)).toEqual([long.id])
    await store.sessions.touch(short.id, later(5))
    expect((await store.sessions.byToken('short'))?.lastSeenAt).toEqual(later(5))
    await store.sessions.sweep(later(10))
    expect(await store.sessions.byToken('short')).toBeNull()
    const before = await actions(INSTANCE)
    for (let twice = 0; twice < 2; twice++)
      await store.sessions.end(long.id, entryOf('user.signed_out', INSTANCE, ana.id))
    expect(await store.sessions.byToken('long')).toBeNull()
    expect(await actions(INSTANCE)).toEqual([...before, 'user.signed_out'])
  })

  it('end all but one', async () => {
    const store = storeIn()
    const { user } = await furnished(store)
    const [ana, bo] = [await user(), await user()]
    const sessions = [aSession(ana), aSession(ana), aSession(bo)]
    for (const one of sessions) await store.sessions.add(one, 'h', one.id, entryOf('user.signed_in', INSTANCE, ana.id))
    const entry = entryOf('user.signed_out_everywhere', INSTANCE, ana.id)
    await store.sessions.endAll(ana.id, sessions[1]!.id, entry)
    expect((await store.sessions.ofUser(ana.id, NOW)).map(({ id }) => id)).toEqual([sessions[1]!.id])
    await store.sessions.endAll(ana.id, null, entry)
    expect([await store.sessions.ofUser(ana.id, NOW), (await store.sessions.ofUser(bo.id, NOW)).length]).toEqual([
      [],
      1,
    ])
  })

  it('are not opened with a password that was changed while it was being proven', async () => {
    const store = storeIn()
    const { user } = await furnished(store)
    const ana = await user({ passwordHash: 'old' })
    await store.users.changePassword(ana.id, 'new', null, entryOf('user.password_changed', INSTANCE, ana.id))
    const entry = entryOf('user.signed_in', INSTANCE, ana.id)
    expect(await store.sessions.add(aSession(ana), 'old', 'token', entry)).toBe(false)
    expect(await store.sessions.add(aSession(aUser()), 'h', 'token', entry)).toBe(false)
    expect(await store.sessions.byToken('token')).toBeNull()
  })
})

describe('workspaces', () => {
  it('are found, listed by slug and by member, renamed', async () => {
    const store = storeIn()
    const { workspace, owner } = await furnished(store)
    const other = aWorkspace({ slug: 'aaa', name: 'Zzz' })
    expect(await store.workspaces.add(other, owner.id, [entryOf('workspace.created', other.id, other.id)])).toBe(true)
    expect(await store.workspaces.byId(other.id)).toEqual(other)
    expect(await store.workspaces.bySlug('aaa')).toEqual(other)
    expect([await store.workspaces.byId('x'), await store.workspaces.bySlug('x')]).toEqual([null, null])
    expect(await store.workspaces.list()).toEqual([other, workspace])
    expect(await store.workspaces.ofUser(owner.id)).toEqual([
      { workspace, role: 'owner' },
      { workspace: other, role: 'owner' },
    ])
    expect(await store.workspaces.ofUser('x')).toEqual([])
    await store.workspaces.rename(other.id, 'Other', entryOf('workspace.renamed', other.id, other.id))
    expect((await store.workspaces.byId(other.id))?.name).toBe('Other')
  })

  it('have a slug of their own', async () => {
    const store = storeIn()
    const { workspace, actions } = await furnished(store)
    const twin = aWorkspace({ slug: workspace.slug })
    expect(await store.workspaces.add(twin, null, [entryOf('workspace.created', INSTANCE, twin.id)])).toBe(false)
    expect(await actions(INSTANCE)).not.toContain('workspace.renamed')
    expect(await store.workspaces.list()).toHaveLength(1)
  })

  it('go with their keys, members, invitations and MCPs; the audit stays', async () => {
    const store = storeIn()
    const { workspace, owner, key, actions } = await furnished(store)
    const { hash } = await key()
    await store.mcps.add(anMcp(workspace), entryOf('mcp.added', workspace.id, 'files'))
    await store.invitations.add(anInvitation(workspace), 'invite', entryOf('invitation.created', workspace.id, 'x'))
    await store.workspaces.remove(workspace.id, [entryOf('workspace.deleted', workspace.id, workspace.id)])
    expect(await store.keys.findByHash(hash)).toBeNull()
    expect(await store.invitations.byToken('invite', NOW)).toBeNull()
    expect(await store.mcps.list(workspace.id)).toEqual([])
    expect(await store.members.roleOf(workspace.id, owner.id)).toBeNull()
    expect(await actions()).toEqual([
      'workspace.created',
      'key.created',
      'mcp.added',
      'invitation.created',
      'workspace.deleted',
    ])
    await store.workspaces.remove(workspace.id, [entryOf('workspace.deleted', workspace.id, workspace.id)])
    await store.workspaces.rename(workspace.id, 'x', entryOf('workspace.renamed', workspace.id, workspace.id))
    expect(await actions()).toHaveLength(5)
  })
})

describe('members', () => {
  async function peopled() {
    const store = storeIn()
    const rest = await furnished(store)
    const { workspace, user } = rest
    const bo = await user({ email: 'bo@example.com', name: 'Bo' })
    const entry = entryOf('member.added', workspace.id, bo.id)
    expect(await store.members.add(workspace.id, bo.id, 'member', later(5), entry)).toBe(true)
    return { store, bo, entry, ...rest }
  }

  it('are listed by address with their role', async () => {
    const { store, bo, entry, workspace, owner } = await peopled()
    expect((await store.members.list(workspace.id)).find(({ userId }) => userId === bo.id)).toEqual({
      workspaceId: workspace.id,
      userId: bo.id,
      email: 'bo@example.com',
      name: 'Bo',
      role: 'member',
      joinedAt: later(5),
    })
    expect(await store.members.roleOf(workspace.id, bo.id)).toBe('member')
    expect([await store.members.roleOf('x', bo.id), await store.members.roleOf(workspace.id, 'x')]).toEqual([
      null,
      null,
    ])
    expect(await store.members.add(workspace.id, owner.id, 'viewer', NOW, entry)).toBe(false)
    expect(await store.members.roleOf(workspace.id, owner.id)).toBe('owner')
  })

  it('change their role from the one in which they were seen', async () => {
    const { store, bo, workspace, actions } = await peopled()
    const entry = entryOf('member.role_changed', workspace.id, bo.id)
    expect(await store.members.setRole(workspace.id, bo.id, 'viewer', 'admin', entry)).toBe('changed meanwhile')
    expect(await store.members.setRole(workspace.id, 'gone', 'viewer', 'admin', entry)).toBe('changed meanwhile')
    expect(await actions()).not.toContain('member.role_changed')
    expect(await store.members.setRole(workspace.id, bo.id, 'member', 'owner', entry)).toBe('done')
    expect(await store.members.roleOf(workspace.id, bo.id)).toBe('owner')
  })

  it('keep a last owner, also of two who go at once', async () => {
    const { store, bo, owner, workspace } = await peopled()
    const entry = entryOf('member.role_changed', workspace.id, owner.id)
    expect(await store.members.setRole(workspace.id, owner.id, 'owner', 'admin', entry)).toBe('last owner')
    expect(await store.members.setRole(workspace.id, owner.id, 'owner', 'owner', entry)).toBe('done')
    expect(await store.members.remove(workspace.id, owner.id, 'owner', null, NOW, () => [])).toBe('last owner')
    await store.members.setRole(workspace.id, bo.id, 'member', 'owner', entry)
    const gone = await Promise.all([
      store.members.remove(workspace.id, owner.id, 'owner', null, NOW, () => []),
      store.members.setRole(workspace.id, bo.id, 'owner', 'viewer', entry),
    ])
    expect(gone).toEqual(['done', 'last owner'])
  })

  it('leave their keys to an heir, or disabled', async () => {
    const { store, bo, owner, workspace, key } = await peopled()
    const mine = await key({ ownerId: bo.id })
    const revoked = await key({ ownerId: bo.id, revokedAt: NOW })
    const others = await key({ ownerId: owner.id })
    const seen: string[] = []
    expect(
      await store.members.remove(workspace.id, bo.id, 'member', null, later(9), (keys) => {
        seen.push(...keys.map(({ id }) => id))
        return keys.map(({ id }) => entryOf('key.disabled', workspace.id, id))
      }),
    ).toBe('done')
    expect(seen).toEqual([mine.key.id])
    expect(await store.keys.byId(workspace.id, mine.key.id)).toMatchObject({ disabledAt: later(9), revision: 2 })
    expect(await store.keys.byId(workspace.id, revoked.key.id)).toMatchObject({ disabledAt: null, revision: 1 })
    expect(await store.keys.byId(workspace.id, others.key.id)).toMatchObject({ disabledAt: null, ownerId: owner.id })
    expect(await store.members.remove(workspace.id, bo.id, 'member', null, NOW, () => [])).toBe('changed meanwhile')

    const cy = aUser()
    await store.users.add(cy, entryOf('user.created', INSTANCE, cy.id))
    await store.members.add(workspace.id, cy.id, 'admin', NOW, entryOf('member.added', workspace.id, cy.id))
    const theirs = await key({ ownerId: cy.id })
    await store.members.remove(workspace.id, cy.id, 'admin', owner.id, NOW, () => [])
    expect(await store.keys.byId(workspace.id, theirs.key.id)).toMatchObject({ ownerId: owner.id, disabledAt: null })
  })
})

describe('invitations', () => {
  it('are good until used, withdrawn or over', async () => {
    const store = storeIn()
    const { workspace } = await furnished(store)
    const invitation = anInvitation(workspace, { email: 'bo@example.com', role: 'admin' })
    const entry = entryOf('invitation.created', workspace.id, invitation.id)
    await store.invitations.add(invitation, 'token', entry)
    expect(await store.invitations.byToken('token', later(999))).toEqual(invitation)
    expect(await store.invitations.byToken('token', later(1000))).toBeNull()
    expect(await store.invitations.byToken('other', NOW)).toBeNull()
    expect(await store.invitations.open(workspace.id, NOW)).toEqual([invitation])
    expect(await store.invitations.open(workspace.id, later(1000))).toEqual([])
    expect(await store.invitations.revoke('other workspace', invitation.id, entry)).toBe(false)
    expect(await store.invitations.revoke(workspace.id, invitation.id, entry)).toBe(true)
    expect(await store.invitations.revoke(workspace.id, invitation.id, entry)).toBe(false)
    expect(await store.invitations.byToken('token', NOW)).toBeNull()
  })

  it('are taken up once, with an account or by a new one', async () => {
    const store = storeIn()
    const { workspace, user } = await furnished(store)
    const known = await user()
    for (const token of ['one', 'two', 'three'])
      await store.invitations.add(
        anInvitation(workspace, { role: 'viewer' }),
        token,
        entryOf('invitation.created', workspace.id, token),
      )
    const accept = (token: string, id: string, fresh = null as ReturnType<typeof aUser> | null, now = NOW) =>
      store.invitations.accept(token, id, fresh, now, [entryOf('member.added', workspace.id, id)])
    expect(await accept('one', known.id, null, later(1000))).toBe(false)
    const both = await Promise.all([accept('one', known.id), accept('one', known.id)])
    expect(both.sort()).toEqual([false, true])
    expect(await store.members.roleOf(workspace.id, known.id)).toBe('viewer')

    const fresh = aUser()
    expect(await accept('two', fresh.id, fresh)).toBe(true)
    expect(await store.users.byId(fresh.id)).toEqual(fresh)
    await expect(accept('three', known.id)).rejects.toThrow('a member of this workspace already')
    await expect(accept('three', 'x', aUser({ id: 'x', email: known.email }))).rejects.toThrow(
      'an account with this address',
    )
    expect(await store.invitations.byToken('three', NOW)).not.toBeNull()
    expect(await accept('four', known.id)).toBe(false)
  })
})

describe('keys', () => {
  it('come back as they were put in', async () => {
    const store = storeIn()
    const { workspace, owner, key: add } = await furnished(store)
    const full = {
      ownerId: owner.id,
      description: 'for the CI',
      environment: 'test',
      type: 'unrestricted',
      scopes: ['mcp:docs:*', 'keys:read'],
      mcpAccess: {
        mode: 'selected',
        mcps: [
          { slug: 'docs', tools: ['search'] },
          { slug: 'wiki', tools: null },
        ],
      },
      ipAllow: ['10.0.0.0/8', '::1'],
      rateLimitPerMinute: 7,
      quotaPerDay: 9,
      allowInUrl: true,
      notBefore: later(1),
      expiresAt: later(2),
      disabledAt: later(3),
      revokedAt: later(4),
      revokedReason: 'leaked',
      createdBy: { kind: 'user', id: owner.id, label: 'ana@example.com' },
    } as const
    const unused = { lastUsedAt: null, lastUsedIp: null, lastUsedClient: null, requestCount: 0, oldLastUsedAt: null }
    for (const more of [{}, full as unknown as object]) {
      const { key, hash } = await add(more)
      expect(await store.keys.byId(workspace.id, key.id)).toEqual({ ...key, ...unused })
      expect(await store.keys.findByHash(hash)).toEqual({ ...key, secret: { hash, endsAt: null } })
    }
  })

  it('are found in their own workspace only', async () => {
    const store = storeIn()
    const { key: add } = await furnished(store)
    const { key } = await add()
    expect(await store.keys.byId('another', key.id)).toBeNull()
    expect(await store.keys.findByHash('another')).toBeNull()
    expect(await store.keys.named('another', key.name)).toEqual([])
  })

  it('belong to a member or to nobody', async () => {
    const store = storeIn()
    const { workspace, user, key: add } = await furnished(store)
    const stranger = await user()
    const { key, hash } = aKey(workspace, { ownerId: stranger.id })
    await expect(store.keys.add(key, { hash }, entryOf('key.created', workspace.id, key.id))).rejects.toMatchObject({
      code: 'forbidden',
    })
    expect(await store.keys.findByHash(hash)).toBeNull()
    await add({ ownerId: null })
  })

  it('are listed newest first, in pages that neither repeat nor skip', async () => {
    const store = storeIn()
    const { workspace, key: add } = await furnished(store)
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.unshift((await add({ id: `key_${i}` })).key.id)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page = await store.keys.list({ workspaceId: workspace.id, now: NOW }, { limit: 3, cursor })
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor)
    expect(seen).toEqual(ids)
    expect(
      (await store.keys.list({ workspaceId: workspace.id, now: NOW }, { limit: 7, cursor: null })).nextCursor,
    ).toBeNull()
  })

  it('are listed and counted by the state that the rules see', async () => {
    const store = storeIn()
    const { workspace, key: add } = await furnished(store)
    const times = [null, later(-1), NOW, later(1)]
    for (const notBefore of times)
      for (const expiresAt of times)
        for (const disabledAt of [null, NOW])
          for (const revokedAt of [null, NOW]) await add({ notBefore, expiresAt, disabledAt, revokedAt })
    const { items } = await store.keys.list({ workspaceId: workspace.id, now: NOW }, ALL)
    expect(items).toHaveLength(64)
    const tally = await store.keys.tally({ workspaceId: workspace.id, now: NOW })
    for (const state of ['active', 'scheduled', 'expired', 'disabled', 'revoked'] as const) {
      const expected = items.filter((key) => stateOf(key, NOW) === state).map(({ id }) => id)
      const found = await store.keys.list({ workspaceId: workspace.id, state, now: NOW }, ALL)
      expect([state, found.items.map(({ id }) => id)]).toEqual([state, expected])
      expect([state, tally[state]]).toEqual([state, expected.length])
    }
  })

  it('are found by words, whatever their case and signs', async () => {
    const store = storeIn()
    const { workspace, owner, key: add } = await furnished(store)
    await add({ name: 'Ärger 100%', environment: 'test' })
    await add({ name: 'my_key', description: 'Für die CI', ownerId: owner.id })
    const hint = (await add({ name: 'other' })).key.hint
    const named = async (search: string, more = {}) =>
      (await store.keys.list({ workspaceId: workspace.id, search, now: NOW, ...more }, ALL)).items.map(
        ({ name }) => name,
      )
    expect(await named('ärger')).toEqual(['Ärger 100%'])
    expect(await named('ÄRGER')).toEqual(['Ärger 100%'])
    expect(await named('%')).toEqual(['Ärger 100%'])
    expect(await named('_')).toContain('my_key')
    expect(await named('y_k')).toEqual(['my_key'])
    expect(await named('FÜR DIE')).toEqual(['my_key'])
    expect(await named(hint)).toEqual(['other'])
    expect(await named('\\')).toEqual([])
    expect(await named('e', { environment: 'test' })).toEqual(['Ärger 100%'])
    expect(await named('e', { ownerId: owner.id })).toEqual(['my_key'])
    expect((await store.keys.named(workspace.id, 'my_key')).map(({ name }) => name)).toEqual(['my_key'])
    expect((await store.keys.named(workspace.id, hint)).map(({ name }) => name)).toEqual(['other'])
    expect(await store.keys.named(workspace.id, 'my_ke')).toEqual([])
  })

  it('change what is named, from the revision that was read', async () => {
    const store = storeIn()
    const { workspace, key: add } = await furnished(store)
    const { key } = await add({ description: 'kept', quotaPerDay: 5 })
    const entry = entryOf('key.changed', workspace.id, key.id)
    const changed = await store.keys.change(key, { name: 'new', quotaPerDay: null, expiresAt: later(5) }, entry)
    expect(changed).toEqual({ ...key, name: 'new', quotaPerDay: null, expiresAt: later(5), revision: 2 })
    expect(await store.keys.change(key, { name: 'newer' }, entry)).toBeNull()
    expect(await store.keys.change(changed!, { expiresAt: null }, entry)).toMatchObject({
      name: 'new',
      expiresAt: null,
    })
    expect(await store.keys.remove(key, entry)).toBe(false)
    expect(await store.keys.remove({ ...key, revision: 3 }, entry)).toBe(true)
    expect(await store.keys.remove({ ...key, revision: 3 }, entry)).toBe(false)
    expect(await store.keys.change({ ...key, revision: 3 }, { name: 'x' }, entry)).toBeNull()
  })
})

describe('MCPs', () => {
  it('are listed by slug, change by revision, and keep what they offered', async () => {
    const store = storeIn()
    const { workspace } = await furnished(store)
    const mcp = anMcp(workspace)
    const entry = entryOf('mcp.added', workspace.id, mcp.id)
    expect(await store.mcps.add(mcp, entry)).toBe(true)
    expect(await store.mcps.add(anMcp(workspace), entry)).toBe(false)
    await store.mcps.add(anMcp(workspace, { slug: 'a' }), entry)
    expect((await store.mcps.list(workspace.id)).map(({ slug }) => slug)).toEqual(['a', 'files'])
    expect((await store.mcps.list(workspace.id))[1]).toEqual(mcp)

    const known = { offer: { tools: [{ name: 'read' }], prompts: [], resources: [], templates: [] }, heardAt: NOW }
    expect(await store.mcps.offer(mcp.id, 'live')).toBeNull()
    await store.mcps.keepOffer(mcp, 'live', { ...known, heardAt: later(-5) })
    await store.mcps.keepOffer(mcp, 'live', known)
    await store.mcps.keepOffer({ id: 'gone', revision: 1 }, 'live', known)
    expect(await store.mcps.offer(mcp.id, 'live')).toEqual(known)
    expect([await store.mcps.offer(mcp.id, 'test'), await store.mcps.offer('gone', 'live')]).toEqual([null, null])

    expect(await store.mcps.change({ ...mcp, name: 'New', revision: 2 }, entry)).toBe(true)
    expect(await store.mcps.change({ ...mcp, name: 'Newer', revision: 2 }, entry)).toBe(false)
    await store.mcps.keepOffer(mcp, 'live', known) // heard of what it was before
    expect(await store.mcps.offer(mcp.id, 'live')).toBeNull()
    await store.mcps.remove(mcp, entryOf('mcp.removed', workspace.id, mcp.id))
    await store.mcps.remove(mcp, entryOf('mcp.removed', workspace.id, mcp.id))
    const { items } = await store.audit.list({ chain: workspace.id, action: 'mcp.removed' }, ALL)
    expect(items).toHaveLength(1)
  })
})

describe('activity', () => {
  const line = (workspaceId: string, more = {}) => ({
    workspaceId,
    at: NOW,
    requestId: 'req_1',
    keyId: 'key_1',
    mcp: 'docs',
    method: 'tools/call',
    tool: 'search',
    environment: 'live' as const,
    outcome: 'ok' as const,
    status: 200,
    latencyMs: 1.5,
    upstreamMs: 1,
    ip: '127.0.0.1',
    client: 'test/1',
    ...more,
  })

  it('is listed newest first by workspace and key, and swept', async () => {
    const store = storeIn()
    const { workspace } = await furnished(store)
    const lines = [1, 2, 3].map((n) =>
      line(workspace.id, { requestId: `req_${n}`, at: later(n), keyId: n === 2 ? 'key_2' : 'key_1' }),
    )
    await store.activity.write([...lines, line('other')])
    const of = async (query = {}, page: { limit: number; cursor: string | null } = ALL) =>
      store.activity.list({ workspaceId: workspace.id, ...query }, page)
    expect((await of()).items).toEqual([...lines].reverse())
    expect((await of({ keyId: 'key_2' })).items).toEqual([lines[1]])
    const first = await of({}, { limit: 2, cursor: null })
    expect((await of({}, { limit: 2, cursor: first.nextCursor })).items).toEqual([lines[0]])
    await store.activity.sweep(later(3))
    expect((await of()).items).toEqual([lines[2]])
  })

  it('adds up what a key did, and passes over one that is gone', async () => {
    const store = storeIn()
    const { workspace, key: add } = await furnished(store)
    const { key } = await add()
    const used = { keyId: key.id, at: NOW, ip: '127.0.0.1', client: 'a', requests: 2 }
    await store.uses.note([used, { ...used, keyId: 'gone' }])
    await store.uses.note([{ ...used, at: later(1), ip: '::1', client: null, requests: 3 }])
    expect(await store.keys.byId(workspace.id, key.id)).toMatchObject({
      requestCount: 5,
      lastUsedAt: later(1),
      lastUsedIp: '::1',
      lastUsedClient: 'a',
      revision: 1,
    })
  })

  it('tells who called with a key', async () => {
    const store = storeIn()
    const { workspace } = await furnished(store)
    const calls = [
      line(workspace.id),
      line(workspace.id, { client: 'b' }),
      line(workspace.id, { client: 'b', ip: '::1' }),
    ]
    await store.activity.write([
      ...calls,
      line(workspace.id, { at: later(-10) }),
      line(workspace.id, { keyId: 'key_2' }),
    ])
    expect(await store.activity.callersOf(workspace.id, 'key_1', later(-5))).toMatchObject({
      calls: 3,
      clients: [
        { name: 'b', calls: 2 },
        { name: 'test/1', calls: 1 },
      ],
      addresses: [
        { ip: '127.0.0.1', calls: 2 },
        { ip: '::1', calls: 1 },
      ],
    })
    expect(await store.activity.callersOf('other', 'key_1', later(-5))).toEqual({
      calls: 0,
      clients: [],
      addresses: [],
    })
  })

  it('tells who called with a busy key, and lets others be served meanwhile', async () => {
    const store = storeIn()
    const { workspace } = await furnished(store)
    const lines = Array.from({ length: 12_000 }, (_, n) =>
      line(workspace.id, { at: later(n), client: `client ${n % 25}`, outcome: n % 2 ? 'ok' : 'revoked_key' }),
    )
    await store.activity.write(lines)
    let over = false
    let turns = 0
    const count = () => {
      turns++
      if (!over) setImmediate(count)
    }
    setImmediate(count)
    const { calls, clients, addresses } = await store.activity.callersOf(workspace.id, 'key_1', later(1000))
    over = true
    expect(turns).toBeGreaterThan(1)
    expect([calls, addresses]).toEqual([5500, [{ ip: '127.0.0.1', calls: 5500 }]])
    expect([clients.length, clients[0]]).toEqual([20, { name: expect.stringMatching(/^client \d+$/), calls: 220 }])
  })
})

describe('answers', () => {
  it('are remembered for a caller’s own name, forgotten and swept', async () => {
    const store = storeIn()
    expect(await store.answers.begin('key_1', 'a', 'print', NOW)).toBeNull()
    expect(await store.answers.begin('key_1', 'a', 'other', NOW)).toEqual({
      fingerprint: 'print',
      status: null,
      body: null,
    })
    expect(await store.answers.begin('key_2', 'a', 'print', NOW)).toBeNull()
    await store.answers.finish('key_1', 'a', 201, '{}')
    expect(await store.answers.begin('key_1', 'a', 'print', NOW)).toEqual({
      fingerprint: 'print',
      status: 201,
      body: '{}',
    })
    await store.answers.forget('key_1', 'a')
    expect(await store.answers.begin('key_1', 'a', 'new', later(5))).toBeNull()
    await store.answers.sweep(later(5))
    expect(await store.answers.begin('key_2', 'a', 'again', NOW)).toBeNull()
    expect(await store.answers.begin('key_1', 'a', 'again', NOW)).toMatchObject({ fingerprint: 'new' })
  })

  it('begin once for two who come at once', async () => {
    const store = storeIn()
    const both = await Promise.all([
      store.answers.begin('key_1', 'a', 'x', NOW),
      store.answers.begin('key_1', 'a', 'x', NOW),
    ])
    expect(both.filter((known) => known === null)).toHaveLength(1)
  })
})

it('answers a probe while it can be written, and not when closed', async () => {
  const store = storeIn()
  await store.probe()
  await store.close()
  await expect(store.probe()).rejects.toThrow()
})
