import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Page } from '../../src/admin/entrance.ts'
import { newOnce } from '../../src/admin/once.ts'
import { PAGES } from '../../src/admin/routes.ts'
import { addMcp } from '../../src/core/mcps/edit.ts'
import { addRepo } from '../../src/core/repos/edit.ts'
import { addMember, invite } from '../../src/core/workspaces/members.ts'
import { type Power, ROLES, type Role, roleHas } from '../../src/core/workspaces/roles.ts'
import type { Workspace } from '../../src/core/workspaces/workspace.ts'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { operator, PASSWORD, robot, type Started, start } from '../support/start.ts'

const VISITORS = ['nobody', ...ROLES, 'instance owner', 'owner elsewhere', 'an API key'] as const
type Visitor = (typeof VISITORS)[number]

type Scene = {
  started: Started
  workspace: Workspace
  own: string
  key: string
  other: string
  invitation: string
  session: string
}
type Sending = { form?: (scene: Scene) => Record<string, string>; path?: (scene: Scene) => string }
type Least = Role | 'anyone' | 'signed in' | 'instance owner' | 'newcomer'
type Row = Sending & { least: Least; done: number | ((visitor: Visitor) => number) }

const once = ({ started }: Scene) => newOnce(started.ctx.now())
const signedIn = (visitor: Visitor) => visitor !== 'nobody' && visitor !== 'an API key'
const anyRole = (of: (scene: Scene) => string) => (path: string) => (scene: Scene) => path.replace(':id', of(scene))
const ofKey = anyRole(({ key }) => key)
const ofOther = anyRole(({ other }) => other)

/** Each page and form once, with what a person who may use it would send. A route without its row fails below. */
const ROWS: Record<string, Row> = {
  'get /setup/:token': { least: 'newcomer', done: 303 },
  'post /setup/:token': { least: 'newcomer', done: 303 },
  'get /sign-in': { least: 'anyone', done: (visitor) => (signedIn(visitor) ? 303 : 200) },
  'post /sign-in': { least: 'anyone', done: 303, form: () => ({ email: 'ana@example.com', password: PASSWORD }) },
  'post /sign-out': { least: 'signed in', done: 303 },
  'get /invitations/:token': { least: 'anyone', done: 200, path: ({ invitation }) => `/invitations/${invitation}` },
  'post /invitations/:token': {
    least: 'anyone',
    done: (visitor) => (ROLES.some((role) => role === visitor) ? 409 : 303),
    path: ({ invitation }) => `/invitations/${invitation}`,
    form: ({ own }) => ({ email: `new-${own}@example.com`, name: 'New', password: 'vast quiet copper lantern' }),
  },
  'get /': { least: 'signed in', done: 303 },
  'get /keys': { least: 'signed in', done: 303 },
  'get /mcps': { least: 'signed in', done: 303 },
  'get /repos': { least: 'signed in', done: 303 },
  'get /members': { least: 'signed in', done: 303 },
  'get /settings': { least: 'signed in', done: 303 },
  'get /w/:slug': { least: 'viewer', done: 303 },
  'get /w/:slug/keys': { least: 'viewer', done: 200 },
  'get /w/:slug/keys/new': { least: 'member', done: 200 },
  'post /w/:slug/keys': {
    least: 'member',
    done: 200,
    form: (scene) => ({ name: 'CI', scopes: 'mcp:*', once: once(scene) }),
  },
  'get /w/:slug/keys/import': { least: 'admin', done: 200 },
  'post /w/:slug/keys/import': {
    least: 'admin',
    done: 303,
    form: ({ own }) => ({ keys: `CI, ${hash('sha256', own)}`, scopes: 'mcp:*' }),
  },
  'get /w/:slug/keys/:id': { least: 'viewer', done: 200, path: ofKey('/w/:slug/keys/:id') },
  'get /w/:slug/keys/:id/row': { least: 'viewer', done: 303, path: ofKey('/w/:slug/keys/:id/row') },
  'get /w/:slug/keys/:id/rename': { least: 'member', done: 200, path: ofKey('/w/:slug/keys/:id/rename') },
  'post /w/:slug/keys/:id/rename': {
    least: 'member',
    done: 303,
    path: ofKey('/w/:slug/keys/:id/rename'),
    form: () => ({ name: 'Another' }),
  },
  'get /w/:slug/keys/:id/edit': { least: 'member', done: 200, path: ofKey('/w/:slug/keys/:id/edit') },
  'post /w/:slug/keys/:id/edit': {
    least: 'member',
    done: 303,
    path: ofKey('/w/:slug/keys/:id/edit'),
    form: () => ({ name: 'Another', scopes: 'mcp:*', expires_at: 'never' }),
  },
  'get /w/:slug/keys/:id/rotate': { least: 'member', done: 200, path: ofKey('/w/:slug/keys/:id/rotate') },
  'post /w/:slug/keys/:id/rotate': {
    least: 'member',
    done: 200,
    path: ofKey('/w/:slug/keys/:id/rotate'),
    form: (scene) => ({ once: once(scene) }),
  },
  'get /w/:slug/keys/:id/finish-rotation': {
    least: 'member',
    done: 303,
    path: ofKey('/w/:slug/keys/:id/finish-rotation'),
  },
  'post /w/:slug/keys/:id/finish-rotation': {
    least: 'member',
    done: 303,
    path: ofKey('/w/:slug/keys/:id/finish-rotation'),
  },
  'get /w/:slug/keys/:id/disable': { least: 'member', done: 200, path: ofKey('/w/:slug/keys/:id/disable') },
  'post /w/:slug/keys/:id/disable': { least: 'member', done: 303, path: ofKey('/w/:slug/keys/:id/disable') },
  'post /w/:slug/keys/:id/enable': { least: 'member', done: 303, path: ofKey('/w/:slug/keys/:id/enable') },
  'get /w/:slug/keys/:id/revoke': { least: 'member', done: 200, path: ofKey('/w/:slug/keys/:id/revoke') },
  'post /w/:slug/keys/:id/revoke': { least: 'member', done: 303, path: ofKey('/w/:slug/keys/:id/revoke') },
  'get /w/:slug/keys/:id/delete': { least: 'member', done: 200, path: ofKey('/w/:slug/keys/:id/delete') },
  'post /w/:slug/keys/:id/delete': { least: 'member', done: 303, path: ofKey('/w/:slug/keys/:id/delete') },
  'get /w/:slug/connect': { least: 'viewer', done: 200 },
  'post /w/:slug/connect': {
    least: 'member',
    done: 200,
    form: (scene) => ({ client: 'codex', once: once(scene) }),
  },
  'get /w/:slug/keys/:id/first-call': { least: 'viewer', done: 200, path: ofKey('/w/:slug/keys/:id/first-call') },
  'get /w/:slug/mcps': { least: 'viewer', done: 200 },
  'get /w/:slug/mcps/new': { least: 'admin', done: 200 },
  'post /w/:slug/mcps': {
    least: 'admin',
    done: 303,
    form: () => ({ slug: 'another', url: 'https://wiki.example/mcp' }),
  },
  'get /w/:slug/mcps/import': { least: 'admin', done: 200 },
  'post /w/:slug/mcps/import': {
    least: 'admin',
    done: 303,
    form: () => ({ config: '{"mcpServers": {"brought": {"url": "https://wiki.example/mcp"}}}' }),
  },
  'get /w/:slug/mcps/:mcp': { least: 'viewer', done: 200 },
  'post /w/:slug/mcps/:mcp': { least: 'admin', done: 303, form: () => ({ name: 'Renamed' }) },
  'post /w/:slug/mcps/:mcp/refresh': { least: 'viewer', done: 303 },
  'get /w/:slug/mcps/:mcp/remove': { least: 'admin', done: 200 },
  'post /w/:slug/mcps/:mcp/remove': { least: 'admin', done: 303 },
  'get /w/:slug/repos': { least: 'viewer', done: 200 },
  'get /w/:slug/repos/new': { least: 'admin', done: 200 },
  'post /w/:slug/repos': {
    least: 'admin',
    done: 303,
    form: () => ({ name: 'another', source: 'files', environments: 'live' }),
  },
  'get /w/:slug/repos/:repo': { least: 'viewer', done: 200 },
  'get /w/:slug/repos/:repo/state': { least: 'viewer', done: 200 },
  'post /w/:slug/repos/:repo': {
    least: 'admin',
    done: 303,
    form: () => ({ name: 'renamed', environments: 'test' }),
  },
  'post /w/:slug/repos/:repo/refresh': { least: 'viewer', done: 303 },
  'post /w/:slug/repos/:repo/upload': { least: 'admin', done: 415 }, // files; what is sent here is a plain form
  'get /w/:slug/repos/:repo/remove-file': { least: 'admin', done: 200 },
  'post /w/:slug/repos/:repo/remove-file': { least: 'admin', done: 404, form: () => ({ path: 'nothing.md' }) },
  'get /w/:slug/repos/:repo/remove': { least: 'admin', done: 200 },
  'post /w/:slug/repos/:repo/remove': { least: 'admin', done: 303 },
  'get /w/:slug/members': { least: 'viewer', done: 200 },
  'post /w/:slug/members/invite': {
    least: 'admin',
    done: 200,
    form: (scene) => ({ role: 'viewer', once: once(scene) }),
  },
  'post /w/:slug/invitations/:id/withdraw': {
    least: 'admin',
    done: 303,
    path: anyRole(({ invitation }) => invitation.split(' ')[1]!)('/w/:slug/invitations/:id/withdraw'),
  },
  'post /w/:slug/members/:id/role': {
    least: 'admin',
    done: 303,
    path: ofOther('/w/:slug/members/:id/role'),
    form: () => ({ role: 'member' }),
  },
  'get /w/:slug/members/:id/remove': { least: 'admin', done: 200, path: ofOther('/w/:slug/members/:id/remove') },
  'post /w/:slug/members/:id/remove': { least: 'admin', done: 303, path: ofOther('/w/:slug/members/:id/remove') },
  'get /w/:slug/hand-over': { least: 'owner', done: 200 },
  'post /w/:slug/hand-over': { least: 'owner', done: 303, form: ({ other }) => ({ user: other }) },
  'get /w/:slug/leave': { least: 'viewer', done: 200 },
  'post /w/:slug/leave': { least: 'viewer', done: 303 },
  'get /w/:slug/settings': { least: 'viewer', done: 200 },
  'post /w/:slug/settings': { least: 'admin', done: 303, form: () => ({ workspace: 'Renamed' }) },
  'get /w/:slug/delete': { least: 'owner', done: 200 },
  'post /w/:slug/delete': { least: 'owner', done: 303, form: ({ workspace }) => ({ confirm: workspace.slug }) },
  'get /workspaces/new': { least: 'instance owner', done: 200 },
  'post /workspaces/new': { least: 'instance owner', done: 303, form: () => ({ workspace: 'Second' }) },
  'get /account': { least: 'signed in', done: 200 },
  'post /account': { least: 'signed in', done: 303, form: () => ({ name: 'Somebody' }) },
  'post /account/password': {
    least: 'signed in',
    done: 303,
    form: () => ({ current_password: PASSWORD, password: 'vast quiet copper lantern' }),
  },
  'post /account/sessions/:id/end': {
    least: 'signed in',
    done: 303,
    path: anyRole(({ session }) => session)('/account/sessions/:id/end'),
  },
  'post /account/sessions/end-all': { least: 'signed in', done: 303 },
}

const nameOf = ({ method, path }: Pick<Page, 'method' | 'path'>) => `${method} ${path}`

it('knows every route, and none that is gone', () => {
  expect(PAGES.map(nameOf).sort()).toEqual(Object.keys(ROWS).sort())
})

it('declares for each route whom the contract lets in', () => {
  for (const page of PAGES) {
    const least = isPower(page.who) ? ROLES.find((role) => roleHas(role, page.who as Power)) : page.who
    expect([nameOf(page), least]).toEqual([nameOf(page), ROWS[nameOf(page)]?.least])
  }
})

function isPower(who: Page['who']): who is Power {
  return who.includes('.')
}

describe.each(PAGES.map((page) => [nameOf(page), page] as const))('%s', (name, { method }) => {
  it('answers each visitor by their role', { timeout: 60_000 }, async () => {
    const started = await start()
    const row = ROWS[name]!
    for (const visitor of VISITORS) {
      const { scene, sent } = await prepare(started, visitor)
      const path = (row.path?.(scene) ?? name.split(' ')[1]!)
        .replace(':slug', scene.workspace.slug)
        .replace(':mcp', 'wiki')
        .replace(':repo', 'handbook')
        .split(' ')[0]!
      const form = method === 'post' ? (row.form?.(scene) ?? {}) : undefined
      const answer = await started.call(method.toUpperCase(), `/admin${path}`, { ...sent, form })
      expect([visitor, answer.status]).toEqual([visitor, expected(row, method, visitor)])
      expect(answer.headers.get('cache-control')).toBe('no-store')
      if (answer.status === 303 && !signedIn(visitor) && !['anyone', 'newcomer'].includes(row.least))
        expect(answer.headers.get('location')).toMatch(/^\/admin\/sign-in\?next=/)
    }
  })
})

function expected({ least, done }: Row, method: Page['method'], visitor: Visitor): number {
  const allowed = typeof done === 'function' ? done(visitor) : done
  if (least === 'newcomer' || least === 'anyone') return allowed
  if (!signedIn(visitor)) return method === 'get' ? 303 : 401
  if (least === 'signed in') return allowed
  if (least === 'instance owner') return visitor === 'instance owner' ? allowed : 403
  if (visitor === 'owner elsewhere' || visitor === 'instance owner') return 404
  return ROLES.indexOf(visitor as Role) >= ROLES.indexOf(least) ? allowed : 403
}

let count = 0

/** A workspace with somebody to act upon, and the visitor in their role. */
async function prepare(started: Started, visitor: Visitor) {
  const { ctx } = started
  const own = `v${++count}`
  const workspace = await createWorkspace(ctx, robot, null, own)
  const join = async (email: string, role: Role) => {
    const { user, cookie, caller } = await started.person(null, email)
    await addMember(ctx, operator, workspace.id, user, role)
    return { user, cookie, caller: { ...caller, role } as typeof caller }
  }
  await join(`keeper-${own}@example.com`, 'owner')
  const other = await join(`other-${own}@example.com`, 'viewer')
  const role = ROLES.find((one) => one === visitor)
  const person = role
    ? await join(`${own}@example.com`, role)
    : visitor === 'instance owner'
      ? { user: started.owner, cookie: await started.cookieOf(started.owner), caller: operator }
      : await started.person(null, `${own}@example.com`)
  if (visitor === 'owner elsewhere') await addMember(ctx, operator, started.workspace.id, person.user, 'owner')
  const by = role && roleHas(role, 'keys.issue') ? person.caller : operator
  const { key, fullKey } = await started.key({}, workspace.id, by)
  await addMcp(ctx, operator, workspace.id, {
    slug: 'wiki',
    live: { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} },
  })
  await addRepo(ctx, operator, workspace.id, { name: 'handbook' })
  const { invitation, token } = await invite(ctx, operator, workspace.id, { email: null, role: 'viewer' })
  const second = await started.cookieOf(person.user)
  const session = (await ctx.store.sessions.ofUser(person.user.id, ctx.now()))[0]!.id
  const scene: Scene = {
    started,
    workspace,
    own,
    key: key.id,
    other: other.user.id,
    invitation: `${token.reveal()} ${invitation.id}`,
    session,
  }
  const sent = visitor === 'nobody' ? {} : visitor === 'an API key' ? { key: fullKey } : { cookie: second }
  return { scene, sent }
}

const AS_FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe.each(PAGES.filter(({ method }) => method === 'post').map(nameOf))('%s', (name) => {
  it('is refused when another site sent it', async () => {
    const { call, owner, cookieOf, origin } = await start()
    const cookie = await cookieOf(owner)
    const path = `/admin${name.split(' ')[1]!.replace(':slug', 'main').replace(/:\w+/, 'x')}`
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site', origin: origin.replace('127.0.0.1', 'localhost') },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', origin: 'null' },
      { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
      { 'sec-fetch-site': '' },
      { origin: 'null' },
      { origin: `${origin}1` },
      {},
    ]
    for (const headers of foreign) {
      const answer = await call('POST', path, { cookie, body: '', headers: { ...AS_FORM, ...headers } })
      expect([headers, answer.status]).toEqual([headers, 403])
    }
  })
})
