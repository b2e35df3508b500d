import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { INSTANCE } from '../../src/core/audit.ts'
import { enable } from '../../src/core/keys/lifecycle.ts'
import { Secret } from '../../src/core/secret.ts'
import {
  acceptInvitation,
  handOver,
  invite,
  openInvitation,
  removeMember,
  setRole,
} from '../../src/core/workspaces/members.ts'
import { changePassword, resetPassword } from '../../src/core/workspaces/people.ts'
import type { Role } from '../../src/core/workspaces/roles.ts'
import { openSession, signIn } from '../../src/core/workspaces/sign-in.ts'
import { migrate } from '../../src/store/migrate.ts'
import { connect } from '../../src/store/sqlite.ts'
import { operator, PASSWORD, robot, type Started, start } from '../support/start.ts'
import { folder, NOW } from '../support/store.ts'

const VISITOR = { address: '127.0.0.1', userAgent: 'test', requestId: 'r' }
const RESET = new Secret('vast quiet copper lantern')
const GUESSED = new Secret('seven windy orange harbours')

async function linesOf({ ctx, workspace }: Started, chain = workspace.id) {
  return (await ctx.store.audit.list({ chain }, { limit: 200, cursor: null })).items
}

it('lets no old password in once it is reset, however early it was proven', async () => {
  const { ctx, owner: proven } = await start()
  await resetPassword(ctx, robot, proven.email, RESET)
  await expect(openSession(ctx, VISITOR, proven)).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(await ctx.store.sessions.ofUser(proven.id, ctx.now())).toEqual([])
  await signIn(ctx, VISITOR, proven.email, RESET)
})

it('changes no password by one that was reset meanwhile', async () => {
  const started = await start()
  const { ctx, owner: proven } = started
  await resetPassword(ctx, robot, proven.email, RESET)
  const passwords = { current: new Secret(PASSWORD), wanted: GUESSED, keepSession: 'mine' }
  await expect(changePassword(ctx, robot, proven, passwords)).rejects.toMatchObject({ code: 'conflict' })
  await expect(signIn(ctx, VISITOR, proven.email, GUESSED)).rejects.toMatchObject({ code: 'unauthenticated' })
  await signIn(ctx, VISITOR, proven.email, RESET)
  expect((await linesOf(started, INSTANCE)).map(({ action }) => action)).not.toContain('user.password_changed')
})

async function invited(started: Started, maker: Role, role: Role) {
  const { ctx, workspace, person } = started
  const { user, caller } = await person(maker, 'maker@example.com')
  const { token } = await invite(ctx, caller, workspace.id, { email: null, role })
  const { user: newcomer } = await person(null)
  const join = () => acceptInvitation(ctx, VISITOR, token.reveal(), { user: newcomer })
  return { maker: user, newcomer, join, open: () => openInvitation(ctx, token.reveal()) }
}

it.each<[Role, Role, Role | null]>([
  ['admin', 'admin', 'member'],
  ['admin', 'viewer', null],
  ['owner', 'owner', 'admin'],
])('opens nothing by the link of an %s for an %s once its maker is %s', async (was, role, becomes) => {
  const started = await start()
  const { ctx, workspace } = started
  const { maker, newcomer, join, open } = await invited(started, was, role)
  await open()
  if (becomes) await setRole(ctx, operator, workspace.id, maker.id, becomes)
  else await removeMember(ctx, operator, workspace.id, maker.id, 'disable')
  await expect(open()).rejects.toMatchObject({ code: 'not_found' })
  await expect(join()).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('withdrawn') })
  expect(await ctx.store.members.roleOf(workspace.id, newcomer.id)).toBeNull()
})

it('asks for the power of the maker again while the link is taken up', async () => {
  const started = await start()
  const { ctx, workspace } = started
  const { maker, newcomer, join } = await invited(started, 'admin', 'member')
  const { roleOf } = ctx.store.members
  ctx.store.members.roleOf = async (...asked) => {
    const seen = await roleOf(...asked)
    if (asked[1] === maker.id && seen === 'admin') await setRole(ctx, operator, workspace.id, maker.id, 'viewer')
    return seen
  }
  await expect(join()).rejects.toMatchObject({ code: 'not_found' })
  expect(await roleOf(workspace.id, newcomer.id)).toBeNull()
})

it('keeps a link good while its maker could give the role, and one from the command line always', async () => {
  const started = await start()
  const { ctx, workspace, person } = started
  const { maker, newcomer, join } = await invited(started, 'owner', 'admin')
  await setRole(ctx, operator, workspace.id, maker.id, 'admin')
  await join()
  expect(await ctx.store.members.roleOf(workspace.id, newcomer.id)).toBe('admin')
  const { token } = await invite(ctx, operator, workspace.id, { email: null, role: 'owner' })
  const { user } = await person(null, 'late@example.com')
  await acceptInvitation(ctx, VISITOR, token.reveal(), { user })
  expect(await ctx.store.members.roleOf(workspace.id, user.id)).toBe('owner')
})

it('learns the makers of the links that an earlier version made', () => {
  const connection = connect(join(folder(), 'claviger.db'))
  const [before, now] = [folder(), folder()]
  const shipped = 'src/store/migrations'
  cpSync(shipped, now, { recursive: true })
  cpSync(shipped, before, { recursive: true, filter: (path) => !path.includes('0006-') })
  migrate(connection, before, NOW)
  connection.exec(`
    insert into users values ('usr_ana', 'ana@example.com', 'Ana', 'h', 0, 1);
    insert into workspaces (id, slug, name, created_at) values ('wsp', 'main', 'Main', 1);
    insert into invitations values ('a', 'wsp', 'a', null, 'member', 1, 'ana@example.com', 9, null);
    insert into invitations values ('b', 'wsp', 'b', null, 'member', 1, 'gone@example.com', 9, null);
    insert into invitations values ('c', 'wsp', 'c', null, 'owner', 1, 'command line (root)', 9, null);
  `)
  expect(migrate(connection, now, NOW)).toContain('0006-invitation-makers.sql')
  const rows = connection.prepare('select id, created_by_id from invitations order by id').raw().all()
  connection.close()
  expect(rows).toEqual([
    ['a', 'usr_ana'],
    ['c', null],
  ])
})

it('hands the powers to manage over to no key that its former owner still knows', async () => {
  const started = await start()
  const { ctx, workspace, person, key } = started
  const [ben, cy] = [await person('member'), await person('owner')]
  const issued = async (name: string, scopes: string[]) => (await key({ name, scopes }, workspace.id, ben.caller)).key
  const mixed = await issued('mixed', ['mcp:*', 'repo:read', 'keys:write', 'audit:read'])
  const plain = await issued('plain', ['mcp:files:*'])
  const managing = await issued('managing', ['keys:read', 'keys:write'])
  const { keys } = await removeMember(ctx, cy.caller, workspace.id, ben.user.id, 'take-over')
  expect(keys.map(({ name }) => name).sort()).toEqual(['managing', 'mixed', 'plain'])

  const now = (id: string) => ctx.store.keys.byId(workspace.id, id)
  expect(await now(mixed.id)).toMatchObject({
    ownerId: cy.user.id,
    scopes: ['mcp:*', 'repo:read'],
    disabledAt: null,
    revision: 2,
  })
  expect(await now(plain.id)).toMatchObject({ ownerId: cy.user.id, scopes: ['mcp:files:*'], disabledAt: null })
  expect(await now(managing.id)).toMatchObject({ ownerId: ben.user.id, disabledAt: ctx.now() })

  const told = (await linesOf(started)).filter(({ action }) => ['key.changed', 'key.disabled'].includes(action))
  const lines = Object.fromEntries(
    told.map(({ action, subject, before, after }) => [subject.id, { action, before, after }]),
  )
  expect(lines).toEqual({
    [mixed.id]: {
      action: 'key.changed',
      before: { ownerId: ben.user.id, scopes: mixed.scopes },
      after: { ownerId: cy.user.id, scopes: ['mcp:*', 'repo:read'] },
    },
    [plain.id]: { action: 'key.changed', before: { ownerId: ben.user.id }, after: { ownerId: cy.user.id } },
    [managing.id]: {
      action: 'key.disabled',
      before: { disabledAt: null },
      after: { disabledAt: ctx.now().toISOString() },
    },
  })
})

it('leaves a managing key without power even when it is enabled after its owner was removed', async () => {
  const { ctx, workspace, person, key, get } = await start()
  const [ben, cy] = [await person('member'), await person('owner')]
  const { key: managing, fullKey } = await key({ scopes: ['keys:read'] }, workspace.id, ben.caller)
  expect((await get('/api/v1/keys', fullKey)).status).toBe(200)
  await removeMember(ctx, cy.caller, workspace.id, ben.user.id, 'take-over')
  expect((await get('/api/v1/keys', fullKey)).status).toBe(401)
  await enable(ctx, cy.caller, workspace.id, managing.id)
  expect((await get('/api/v1/keys', fullKey)).status).toBe(403)
})

it('says on the page that a former member still knows the keys', async () => {
  const { workspace, person, key, call } = await start()
  const [ben, cy] = [await person('member'), await person('owner')]
  await key({}, workspace.id, ben.caller)
  const page = await call('GET', `/admin/w/main/members/${ben.user.id}/remove`, { cookie: cy.cookie })
  expect(await page.text()).toContain('member still knows them')
})

it('hands over to one of two heirs who are named at the same moment', async () => {
  const started = await start()
  const { ctx, workspace, person } = started
  const giver = await person('owner', 'giver@example.com')
  const heirs = [await person('member'), await person('admin')]
  const caller = giver.caller as Parameters<typeof handOver>[1]
  const before = (await linesOf(started)).length
  const ends = await Promise.allSettled(heirs.map(({ user }) => handOver(ctx, caller, workspace.id, user.id)))
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(ends.find((end) => end.status === 'rejected')).toMatchObject({ reason: { code: 'forbidden' } })
  const roles = (await ctx.store.members.list(workspace.id)).map(({ role }) => role).sort()
  expect(roles.filter((role) => role === 'owner')).toHaveLength(2) // the first one, and one heir
  expect((await linesOf(started)).length - before).toBe(2)
})

it('hands over wholly or not at all', async () => {
  const started = await start()
  const { ctx, workspace, person } = started
  const giver = await person('owner', 'giver@example.com')
  const heir = await person('member')
  const { members } = ctx.store
  const before = (await linesOf(started)).length
  const stale = await members.handOver(workspace.id, giver.user.id, { userId: heir.user.id, role: 'viewer' }, [])
  expect(stale).toBe('changed meanwhile')
  const broken = { chain: workspace.id, at: new Date(Number.NaN), actor: robot, action: 'member.role_changed' as const }
  const subject = { kind: 'user', id: heir.user.id, label: 'heir' }
  const seen = { userId: heir.user.id, role: 'member' as const }
  const entries = [{ ...broken, subject, before: null, after: null }]
  await expect(members.handOver(workspace.id, giver.user.id, seen, entries)).rejects.toThrow()
  expect(await members.roleOf(workspace.id, heir.user.id)).toBe('member')
  expect(await members.roleOf(workspace.id, giver.user.id)).toBe('owner')
  expect(await linesOf(started)).toHaveLength(before)
})

it('makes no member twice, and leaves the link good for another', async () => {
  const started = await start()
  const { ctx, workspace, person } = started
  const { user } = await person(null)
  const links = await Promise.all(
    (['viewer', 'member'] as const).map((role) => invite(ctx, operator, workspace.id, { email: null, role })),
  )
  const ends = await Promise.allSettled(
    links.map(({ token }) => acceptInvitation(ctx, VISITOR, token.reveal(), { user })),
  )
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(ends.find((end) => end.status === 'rejected')).toMatchObject({ reason: { code: 'conflict' } })
  expect(await ctx.store.invitations.open(workspace.id, ctx.now())).toHaveLength(1)
  expect(
    (await linesOf(started)).filter(({ action, subject }) => action === 'member.added' && subject.id === user.id),
  ).toHaveLength(1)
})

it('counts guesses at a password by whose they are, not by the cookie that was sent', async () => {
  const { call, person } = await start()
  const form = { current_password: 'not this one at all', password: 'vast quiet copper lantern' }
  const guess = (cookie: string) => call('POST', '/admin/account/password', { cookie, form })
  const nobody: number[] = []
  for (let at = 0; at < 11; at++) nobody.push((await guess(`claviger_session=made-up-${at}`)).status)
  expect([nobody.slice(0, 10).every((status) => status === 401), nobody[10]]).toEqual([true, 429])

  const ben = await person('member')
  const again = await person('member')
  const his: number[] = []
  for (let at = 0; at < 11; at++) his.push((await guess(at % 2 ? ben.cookie : again.cookie)).status)
  expect([his.slice(0, 10).every((status) => status === 422), his[10]]).toEqual([true, 429])
})
