import { expect, it } from 'vitest'
import { PASSWORD, type Started, start } from '../support/start.ts'
import { cookieIn, signInAs } from './forms.ts'

const NEW = 'vast quiet copper lantern'

async function ana() {
  const started = await start()
  const cookie = cookieIn(await signInAs(started, 'ana@example.com', PASSWORD))!
  return {
    ...started,
    started,
    page: (path = '/admin/account', as = cookie) => started.call('GET', path, { cookie: as }),
    send: (path: string, form: Record<string, string> = {}) => started.call('POST', path, { cookie, form }),
  }
}

const elsewhere = async (started: Started, agent: string) =>
  cookieIn(await signInAs(started, 'ana@example.com', PASSWORD, { headers: { 'user-agent': agent } }))!

it('changes the name', async () => {
  const { send, page } = await ana()
  expect((await send('/admin/account', { name: 'Ana Ribeiro' })).status).toBe(303)
  expect(await (await page()).text()).toContain('value="Ana Ribeiro"')
  const wrong = await send('/admin/account', { name: ' ' })
  expect(wrong.status).toBe(422)
  expect(await wrong.text()).toContain('id="field-name-error"')
})

it('changes the password and ends every other session', async () => {
  const { started, send, page } = await ana()
  const other = await elsewhere(started, 'phone')
  const form = { current_password: PASSWORD, password: NEW }
  expect((await send('/admin/account/password', form)).status).toBe(303)
  expect((await page()).status).toBe(200)
  expect((await page('/admin/account', other)).status).toBe(303)
  expect((await signInAs(started, 'ana@example.com', PASSWORD)).status).toBe(401)
  expect((await signInAs(started, 'ana@example.com', NEW)).status).toBe(303)
})

it('asks for the current password, ten times', async () => {
  const { started, send, page, advance } = await ana()
  const other = await elsewhere(started, 'phone')
  const wrong = { current_password: 'not this one at all', password: NEW }
  for (let i = 0; i < 10; i++) {
    const answer = await send('/admin/account/password', wrong)
    expect(answer.status).toBe(422)
    expect(await answer.text()).toContain('id="field-current_password-error"')
  }
  expect((await send('/admin/account/password', { current_password: PASSWORD, password: NEW })).status).toBe(429)
  expect((await page('/admin/account', other)).status).toBe(200)
  advance(15 * 60_000)
  expect((await send('/admin/account/password', { current_password: PASSWORD, password: NEW })).status).toBe(303)
})

it('takes no weak password', async () => {
  const { started, send } = await ana()
  for (const password of ['short', 'passwordpassword', 'ana@example.com1']) {
    const answer = await send('/admin/account/password', { current_password: PASSWORD, password })
    expect(answer.status).toBe(422)
    const html = await answer.text()
    expect(html).toContain('id="field-password-error"')
    expect(html).not.toContain(`value="${password}"`)
  }
  expect((await signInAs(started, 'ana@example.com', PASSWORD)).status).toBe(303)
})

it('lists own sessions by browser and address, and ends one', async () => {
  const { started, page, send, ctx, owner } = await ana()
  const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  const other = await elsewhere(started, agent)
  const html = await (await page()).text()
  expect(html).toContain('Firefox on Linux')
  expect(html).toContain('127.0.0.1')
  expect(html.match(/This one/g)).toHaveLength(1)
  const session = (await ctx.store.sessions.ofUser(owner.id, ctx.now())).find((one) => one.userAgent === agent)!
  expect((await send(`/admin/account/sessions/${session.id}/end`)).status).toBe(303)
  expect((await page('/admin/account', other)).status).toBe(303)
  expect((await page()).status).toBe(200)
})

it('ends nobody else’s session', async () => {
  const { person, send, ctx, page } = await ana()
  const ben = await person('member')
  const [session] = await ctx.store.sessions.ofUser(ben.user.id, ctx.now())
  expect((await send(`/admin/account/sessions/${session!.id}/end`)).status).toBe(404)
  expect((await page('/admin/account', ben.cookie)).status).toBe(200)
})

it('signs out everywhere', async () => {
  const { started, page, send } = await ana()
  const other = await elsewhere(started, 'phone')
  expect((await send('/admin/account/sessions/end-all')).headers.get('location')).toBe('/admin/sign-in')
  expect((await page('/admin/account', other)).status).toBe(303)
  expect((await page()).status).toBe(303)
})
