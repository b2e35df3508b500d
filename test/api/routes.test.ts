import { beforeAll, describe, expect, it } from 'vitest'
import { ROUTES } from '../../src/api/routes.ts'
import { type Caller, SCOPE_FOR } from '../../src/core/caller.ts'
import { disable, enable, removeKey, revoke } from '../../src/core/keys/lifecycle.ts'
import { MANAGEMENT_SCOPES } from '../../src/core/keys/scopes.ts'
import { roleHas } from '../../src/core/workspaces/roles.ts'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { jsonOf } from '../support/json.ts'
import { operator, robot, type Started, start } from '../support/start.ts'
import { addressOf, exampleOf } from './examples.ts'

/** Every route asked by everyone; a new route is asked the day it is added. */
const routes = ROUTES.map(({ method, path, endpoint: { operation, open } }) => ({
  name: `${method.toUpperCase()} ${path}`,
  method: method.toUpperCase(),
  path,
  open,
  id: operation.id,
  power: operation.power,
  status: operation.answer.status,
}))
type Route = (typeof routes)[number]

const every = Object.keys(MANAGEMENT_SCOPES) as (keyof typeof MANAGEMENT_SCOPES)[]
const mighty = { scopes: ['mcp:*', ...every] }
const ROLES = ['viewer', 'member', 'admin', 'owner'] as const

let app: Awaited<ReturnType<typeof world>>
beforeAll(async () => {
  app = await world()
  return () => app.close()
})

type Sent = Parameters<Started['call']>[2] & { query?: string }
const bearer = (key: string): Sent => ({ headers: { authorization: `Bearer ${key}` } })

const STRANGERS: [who: string, request: () => Sent, code: string][] = [
  ['nobody', () => ({}), 'missing_key'],
  ['an empty key', () => bearer(''), 'missing_key'],
  ['a malformed key', () => bearer(app.keys.good.slice(0, -1)), 'malformed_key'],
  ['an unknown key', () => bearer(app.keys.gone), 'unknown_key'],
  ['a disabled key', () => bearer(app.keys.disabled), 'disabled_key'],
  ['an expired key', () => bearer(app.keys.expired), 'expired_key'],
  ['a revoked key', () => bearer(app.keys.revoked), 'revoked_key'],
  ['a scheduled key', () => bearer(app.keys.scheduled), 'not_yet_valid'],
  ['a key from the wrong address', () => bearer(app.keys.elsewhere), 'ip_not_allowed'],
  [
    'two keys',
    () => ({ headers: { authorization: `Bearer ${app.keys.good}`, 'x-api-key': app.keys.good } }),
    'multiple_credentials',
  ],
  ['a key in the URL', () => ({ query: `api_key=${app.keys.inUrl}` }), 'missing_key'],
  [
    'a key in header and URL',
    () => ({ ...bearer(app.keys.good), query: `api_key=${app.keys.good}` }),
    'multiple_credentials',
  ],
  ['a session alone', () => ({ cookie: app.cookie }), 'missing_key'],
  ['a key whose owner was removed', () => bearer(app.keys.ofRemoved), 'disabled_key'],
]

const WAYS: [way: string, present: (key: string) => Sent][] = [
  ['Bearer', bearer],
  ['ApiKey', (key) => ({ headers: { authorization: `ApiKey ${key}` } })],
  ['X-API-Key', (key) => ({ headers: { 'x-api-key': key } })],
  ['Bearer among white space', (key) => ({ headers: { authorization: `bearer   ${key}  ` } })],
]

describe.each(routes.filter(({ open }) => !open))('$name', (route) => {
  it.each(STRANGERS)('refuses %s', async (_who, request, code) => {
    const { status, body, headers } = await ask(route, request())
    expect([body.code, body.status, body.request_id]).toEqual([code, status, headers.get('x-request-id')])
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(headers.get('cache-control')).toMatch(/^no-store/)
    expect(/^Bearer /.test(headers.get('www-authenticate') ?? '')).toBe(status === 401)
  })

  it.each(WAYS)('takes a key as %s', async (_way, present) => {
    expect((await ask(route, present(app.keys.good))).status).toBe(route.status)
  })

  it('asks for its scope', async () => {
    const scope = route.power && SCOPE_FOR[route.power]
    const { status, body } = await ask(route, bearer(app.without(scope)))
    expect([status, body?.code]).toEqual(scope ? [403, 'insufficient_scope'] : [route.status, body?.code])
  })

  it('asks for no other scope', async () => {
    const scope = route.power && SCOPE_FOR[route.power]
    expect((await ask(route, bearer(app.withOnly(scope)))).status).toBe(route.status)
  })

  it.each(ROLES)('bounds the key of a %s by what the role may now', async (role) => {
    const may = route.power === null || roleHas(role, route.power)
    const { status, body } = await ask(route, bearer(app.people[role].fullKey), app.people[role].maker)
    expect([status, body?.code]).toEqual(may ? [route.status, body?.code] : [403, 'forbidden'])
  })

  it('lets the enabled key of somebody who left do nothing', async () => {
    const { status, body } = await ask(route, bearer(app.keys.ofNobody))
    expect([status, body?.code]).toEqual(route.power ? [403, 'forbidden'] : [route.status, body?.code])
  })

  it('refuses a parameter that it does not know', async () => {
    const { body } = await ask(route, { ...bearer(app.keys.good), query: 'colour=red' })
    expect(body).toMatchObject({ status: 422, code: 'validation_failed', errors: [{ field: 'colour' }] })
  })
})

/** Their addresses name what is no workspace's own, or what answers alike whether it is there or not. */
const OF_NO_WORKSPACE = ['callTool', 'connectClient']

describe.each(routes.filter(({ path, id }) => path.includes('{') && !OF_NO_WORKSPACE.includes(id)))(
  '$name',
  (route) => {
    it('is not_found from another workspace', async () => {
      expect(await ask(route, bearer(app.keys.otherWorkspace))).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      })
    })
  },
)

describe.each(routes.filter(({ path }) => path.startsWith('/keys/{id}')))('$name', (route) => {
  it('is not_found from another environment', async () => {
    const { status, body } = await ask(route, bearer(app.keys.otherEnvironment))
    expect([status, body.code]).toEqual([404, 'not_found'])
  })
})

describe.each(routes.filter(({ open }) => open))('$name', (route) => {
  it.each(STRANGERS)('answers %s', async (_who, request) => {
    expect((await ask(route, request())).status).toBe(route.status)
  })
})

it('says of another workspace’s MCP what it says of one that is not there', async () => {
  const route = routes.find(({ id }) => id === 'callTool')!
  const { status, body } = await ask(route, bearer(app.keys.otherWorkspace))
  expect([status, body.code]).toEqual([403, 'mcp_not_permitted'])
})

it('knows each operation once, and a scope for each power it asks', () => {
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
  for (const { power } of routes) if (power) expect(SCOPE_FOR[power]).not.toBeNull()
})

async function ask(route: Route, { query, ...sent }: Sent, by: Caller = operator) {
  const example = await exampleOf(route.id, app, by)
  const all = [example.query, query].filter(Boolean).join('&')
  const response = await app.call(route.method, addressOf(route.path, { ...example, query: all }), {
    ...sent,
    body: example.file ?? example.body,
  })
  return { status: response.status, headers: response.headers, body: await jsonOf(response) }
}

async function world() {
  const app = await start({ shared: true })
  const { ctx, workspace, key, person } = app
  const full = async (...wanted: Parameters<typeof key>) => (await key(...wanted)).fullKey

  /** A key that was good until this was done to it. */
  const spoiled = async (spoil: (id: string) => Promise<unknown>) => {
    const { key: one, fullKey } = await key(mighty)
    await spoil(one.id)
    return fullKey
  }

  const left = async (email: string) => {
    const { user, caller } = await person('admin', email)
    const { key: own, fullKey } = await key(mighty, workspace.id, caller)
    await ctx.store.members.remove(workspace.id, user.id, 'admin', null, ctx.now(), () => [])
    return { own, fullKey }
  }

  const member = async (role: (typeof ROLES)[number]) => {
    const { user, caller, cookie } = await person(role === 'viewer' ? 'member' : role, `${role}@example.com`)
    const { fullKey } = await key(mighty, workspace.id, caller)
    if (role === 'viewer') await demote(ctx, workspace.id, user.id)
    return { fullKey, cookie, maker: role === 'viewer' ? operator : caller }
  }
  const people = {
    viewer: await member('viewer'),
    member: await member('member'),
    admin: await member('admin'),
    owner: await member('owner'),
  }

  const nobody = await left('left@example.com')
  await enable(ctx, operator, workspace.id, nobody.own.id)
  const other = await createWorkspace(ctx, robot, null, 'Other')

  const keys = {
    good: await full(mighty),
    gone: await spoiled((id) => removeKey(ctx, operator, workspace.id, id, { confirmed: true })),
    disabled: await spoiled((id) => disable(ctx, operator, workspace.id, id)),
    revoked: await spoiled((id) => revoke(ctx, operator, workspace.id, id, null)),
    expired: await full({ ...mighty, expiresAt: new Date(ctx.now().getTime() + 1000) }),
    scheduled: await full({ ...mighty, notBefore: new Date('2027-01-01') }),
    elsewhere: await full({ ...mighty, ipAllow: ['203.0.113.0/24'] }),
    inUrl: await full({ ...mighty, allowInUrl: true }),
    ofRemoved: (await left('removed@example.com')).fullKey,
    ofNobody: nobody.fullKey,
    otherWorkspace: await full(mighty, other.id),
    otherEnvironment: await full({ ...mighty, environment: 'test' }),
  }

  const scoped = new Map<string, string>()
  for (const scopes of [every, [], ...every.flatMap((one) => [[one], every.filter((other) => other !== one)])])
    scoped.set(scopes.join(), await full({ scopes: ['mcp:*', ...scopes] }))

  app.advance(1000)
  return {
    ...app,
    owner: app.owner,
    workspace,
    keys,
    people,
    cookie: people.owner.cookie,
    without: (scope: string | null) => scoped.get(every.filter((one) => one !== scope).join())!,
    withOnly: (scope: string | null) => scoped.get(scope ?? '')!,
  }
}

async function demote(ctx: Started['ctx'], workspaceId: string, userId: string): Promise<void> {
  await ctx.store.members.setRole(workspaceId, userId, 'member', 'viewer', {
    chain: workspaceId,
    at: ctx.now(),
    actor: robot,
    action: 'member.role_changed',
    subject: { kind: 'user', id: userId, label: 'viewer' },
    before: { role: 'member' },
    after: { role: 'viewer' },
  })
}
