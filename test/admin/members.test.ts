import { describe, expect, it } from 'vitest'
import { newOnce } from '../../src/admin/once.ts'
import type { Role } from '../../src/core/workspaces/roles.ts'
import { type Started, start } from '../support/start.ts'
import { cookieIn } from './forms.ts'

const MEMBERS = '/admin/w/main/members'
const PERSON = { name: 'Ben', email: 'ben@example.com', password: 'vast quiet copper lantern' }

async function signedIn(role: Role = 'admin') {
  const started = await start()
  const me = await started.person(role)
  const { cookie } = me
  return {
    ...started,
    started,
    me,
    page: (path: string) => started.call('GET', path, { cookie }),
    send: (path: string, form: Record<string, string> = {}, headers?: Record<string, string>) =>
      started.call('POST', path, { cookie, form, headers }),
    roleOf: (id: string) => started.ctx.store.members.roleOf(started.workspace.id, id),
  }
}

async function invited(started: Started, cookie: string, form: Record<string, string>) {
  const sent = { once: newOnce(started.ctx.now()), ...form }
  const answer = await started.call('POST', `${MEMBERS}/invite`, { cookie, form: sent })
  const link = /http:\/\/[^"<\s]+(\/admin\/invitations\/clv_invite_[0-9a-f]{64})/.exec(await answer.text())?.[1]
  return { answer, link: link!, sent }
}

describe('an invitation', () => {
  it('is a link shown once, for one new person', async () => {
    const { started, me, page, call, logs } = await signedIn()
    const { link, sent } = await invited(started, me.cookie, { role: 'member' })
    expect(await (await page(MEMBERS)).text()).not.toContain(link)
    const again = await started.call('POST', `${MEMBERS}/invite`, { cookie: me.cookie, form: sent })
    expect(again.status).toBe(409)
    const open = await call('GET', link)
    expect([open.status, open.headers.get('referrer-policy')]).toEqual([200, 'no-referrer'])
    const joined = await call('POST', link, { form: PERSON })
    expect([joined.status, joined.headers.get('location')]).toEqual([303, '/admin/w/main/keys'])
    expect((await call('GET', '/admin/w/main/keys/new', { cookie: cookieIn(joined)! })).status).toBe(200)
    expect((await call('GET', link)).status).toBe(404)
    expect((await call('POST', link, { form: { ...PERSON, email: 'eve@example.com' } })).status).toBe(404)
    expect(logs.join('')).not.toContain(link)
  })

  it('for one address makes no account for another', async () => {
    const { started, me, call, ctx } = await signedIn()
    const { link } = await invited(started, me.cookie, { role: 'viewer', email: 'ben@example.com' })
    const form = await (await call('GET', link)).text()
    expect(form).toMatch(/value="ben@example.com"[^>]*readonly/)
    await call('POST', link, { form: { ...PERSON, email: 'eve@example.com' } })
    expect((await ctx.store.users.list()).map(({ email }) => email)).toContain('ben@example.com')
    expect(await ctx.store.users.byEmail('eve@example.com')).toBeNull()
  })

  it('takes one button from somebody who is signed in', async () => {
    const { started, me, call, person, roleOf } = await signedIn()
    const { link } = await invited(started, me.cookie, { role: 'viewer' })
    const ben = await person(null, 'ben@example.com')
    const page = await (await call('GET', link, { cookie: ben.cookie })).text()
    expect(page).toContain('Join the workspace')
    expect(page).not.toContain('name="password"')
    expect((await call('POST', link, { cookie: ben.cookie, form: {} })).status).toBe(303)
    expect(await roleOf(ben.user.id)).toBe('viewer')
  })

  it('for somebody else is not taken by who is signed in', async () => {
    const { started, me, call, person, roleOf } = await signedIn()
    const { link } = await invited(started, me.cookie, { role: 'viewer', email: 'ben@example.com' })
    const eve = await person(null, 'eve@example.com')
    expect(await (await call('GET', link, { cookie: eve.cookie })).text()).toContain('is for ben@example.com')
    expect((await call('POST', link, { cookie: eve.cookie, form: {} })).status).toBe(403)
    expect(await roleOf(eve.user.id)).toBeNull()
  })

  it('asks for the password of an account that exists', async () => {
    const { started, me, call, person } = await signedIn()
    await person(null, 'ben@example.com')
    const { link } = await invited(started, me.cookie, { role: 'viewer' })
    const answer = await call('POST', link, { form: PERSON })
    expect(answer.status).toBe(422)
    expect(await answer.text()).toContain('id="field-email-error"')
    expect(cookieIn(answer)).toBeNull()
  })

  it('opens nothing once withdrawn, or after a week', async () => {
    const { started, me, call, send, advance, ctx, workspace } = await signedIn()
    const first = await invited(started, me.cookie, { role: 'member' })
    const [open] = await ctx.store.invitations.open(workspace.id, ctx.now())
    expect((await send(`/admin/w/main/invitations/${open!.id}/withdraw`)).status).toBe(303)
    expect((await call('POST', first.link, { form: PERSON })).status).toBe(404)
    expect((await send(`/admin/w/main/invitations/${open!.id}/withdraw`)).status).toBe(404)
    const second = await invited(started, me.cookie, { role: 'member' })
    advance(7 * 86_400_000)
    expect((await call('GET', second.link)).status).toBe(404)
  })

  it('for an owner is made by owners alone', async () => {
    const { started, me } = await signedIn('admin')
    expect((await invited(started, me.cookie, { role: 'owner' })).answer.status).toBe(403)
    const owner = await started.person('owner')
    expect((await invited(started, owner.cookie, { role: 'owner' })).answer.status).toBe(200)
  })

  it('comes back for a wrong address or role', async () => {
    const { started, me } = await signedIn()
    const { answer } = await invited(started, me.cookie, { role: 'member', email: 'ben' })
    expect(answer.status).toBe(422)
    expect((await invited(started, me.cookie, { role: 'king' })).answer.status).toBe(422)
  })
})

describe('a role', () => {
  it('is changed with effect on the next request', async () => {
    const { send, person, call, roleOf } = await signedIn()
    const ben = await person('viewer')
    expect((await call('GET', '/admin/w/main/keys/new', { cookie: ben.cookie })).status).toBe(403)
    expect((await send(`${MEMBERS}/${ben.user.id}/role`, { role: 'member' })).status).toBe(303)
    expect(await roleOf(ben.user.id)).toBe('member')
    expect((await call('GET', '/admin/w/main/keys/new', { cookie: ben.cookie })).status).toBe(200)
  })

  it('comes back to htmx as the row', async () => {
    const { send, person } = await signedIn()
    const ben = await person('viewer')
    const answer = await send(`${MEMBERS}/${ben.user.id}/role`, { role: 'member' }, { 'hx-request': 'true' })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain(`id="member-${ben.user.id}"`)
  })

  it('of an owner is out of an admin’s reach', async () => {
    const { send, page, person, owner, roleOf, me } = await signedIn('admin')
    const ben = await person('viewer')
    expect((await send(`${MEMBERS}/${owner.id}/role`, { role: 'viewer' })).status).toBe(403)
    expect((await send(`${MEMBERS}/${owner.id}/remove`)).status).toBe(403)
    expect((await send(`${MEMBERS}/${ben.user.id}/role`, { role: 'owner' })).status).toBe(403)
    expect((await send(`${MEMBERS}/${me.user.id}/role`, { role: 'owner' })).status).toBe(403)
    expect(await roleOf(owner.id)).toBe('owner')
    expect(await (await page(MEMBERS)).text()).not.toContain(`${owner.id}/role`)
  })
})

describe('the last owner', () => {
  it('can neither leave, nor step down, nor be removed', async () => {
    const { started, owner, roleOf, call } = await signedIn()
    const cookie = await started.cookieOf(owner)
    const attempts: [string, Record<string, string>][] = [
      ['/admin/w/main/leave', {}],
      [`${MEMBERS}/${owner.id}/role`, { role: 'admin' }],
      [`${MEMBERS}/${owner.id}/remove`, {}],
    ]
    for (const [path, form] of attempts) {
      const answer = await call('POST', path, { cookie, form })
      expect([path, answer.status]).toEqual([path, 409])
      expect(await answer.text()).toContain('keeps at least one owner')
    }
    expect(await roleOf(owner.id)).toBe('owner')
  })

  it('may hand over, and stays on as an admin', async () => {
    const { started, owner, roleOf, call, me } = await signedIn('member')
    const cookie = await started.cookieOf(owner)
    const form = (user: string) => call('POST', '/admin/w/main/hand-over', { cookie, form: { user } })
    expect((await form(owner.id)).status).toBe(422)
    expect((await form('usr_nobody')).status).toBe(404)
    expect((await form(me.user.id)).status).toBe(303)
    expect([await roleOf(me.user.id), await roleOf(owner.id)]).toEqual(['owner', 'admin'])
    expect((await form(owner.id)).status).toBe(403)
  })

  it('remains when two leave at once', async () => {
    const { started, owner, me, ctx, workspace, call } = await signedIn('owner')
    const leave = (cookie: string) => call('POST', '/admin/w/main/leave', { cookie, form: {} })
    const answers = await Promise.all([leave(me.cookie), leave(await started.cookieOf(owner))])
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409])
    expect(await ctx.store.members.list(workspace.id)).toHaveLength(1)
  })
})

describe('removing a member', () => {
  it('lists their keys and disables them', async () => {
    const { send, page, person, key, get, call } = await signedIn()
    const ben = await person('member')
    const { fullKey } = await key({ name: 'Ben’s laptop' }, undefined, ben.caller)
    expect(await (await page(`${MEMBERS}/${ben.user.id}/remove`)).text()).toContain('Ben’s laptop')
    expect((await send(`${MEMBERS}/${ben.user.id}/remove`, { keys: 'disable' })).status).toBe(303)
    expect(await (await get('/api/v1/whoami', fullKey)).json()).toMatchObject({ code: 'disabled_key' })
    expect((await call('GET', '/admin/w/main/keys', { cookie: ben.cookie })).status).toBe(404)
    expect((await send(`${MEMBERS}/${ben.user.id}/remove`)).status).toBe(404)
  })

  it('may leave the keys to the remover', async () => {
    const { send, person, key, get, ctx, workspace, me } = await signedIn()
    const ben = await person('member')
    const { key: one, fullKey } = await key({}, undefined, ben.caller)
    await send(`${MEMBERS}/${ben.user.id}/remove`, { keys: 'take-over' })
    expect(await (await get('/api/v1/whoami', fullKey)).json()).not.toHaveProperty('code')
    expect((await ctx.store.keys.byId(workspace.id, one.id))?.ownerId).toBe(me.user.id)
  })

  it('does nothing for an answer that was not offered', async () => {
    const { send, person, roleOf } = await signedIn()
    const ben = await person('member')
    expect((await send(`${MEMBERS}/${ben.user.id}/remove`, { keys: 'burn' })).status).toBe(422)
    expect(await roleOf(ben.user.id)).toBe('member')
  })

  it('is not needed to leave oneself', async () => {
    const { send, page, key, get, me } = await signedIn('member')
    const { fullKey } = await key({}, undefined, me.caller)
    expect(await (await page('/admin/w/main/leave')).text()).toContain('They are disabled when you leave')
    expect((await send('/admin/w/main/leave')).headers.get('location')).toBe('/admin')
    expect(await (await get('/api/v1/whoami', fullKey)).json()).toMatchObject({ code: 'disabled_key' })
    expect(await (await page('/admin')).text()).toContain('You are in no workspace')
  })
})

it('shows open invitations to those who may withdraw them', async () => {
  const { started, me, call, person, page } = await signedIn()
  await invited(started, me.cookie, { role: 'member', email: 'zoe@example.com' })
  expect(await (await page(MEMBERS)).text()).toContain('zoe@example.com')
  const viewer = await person('viewer')
  const html = await (await call('GET', MEMBERS, { cookie: viewer.cookie })).text()
  expect(html).not.toContain('zoe@example.com')
  expect(html).not.toContain('/role')
})
