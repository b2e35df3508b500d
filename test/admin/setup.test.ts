import { expect, it } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { newSetupLink, setUp } from '../../src/core/workspaces/setup.ts'
import { robot, type Started, start } from '../support/start.ts'
import { cookieIn } from './forms.ts'

const ANSWERS = {
  name: 'Ana',
  email: 'ana@example.com',
  password: 'vast quiet copper lantern',
  workspace: "Ana's team",
}

const OWNER = { ...ANSWERS, password: new Secret(ANSWERS.password) }

async function link({ ctx }: Started): Promise<string> {
  return `/admin/setup/${(await newSetupLink(ctx, robot)).reveal()}`
}

const plain = (html: string) => html.replace(/req_\w+/g, '')

it('makes the owner and their workspace, and signs them in', async () => {
  const started = await start({ setUp: false })
  const path = await link(started)
  const page = await started.get(path)
  expect([page.status, page.headers.get('referrer-policy')]).toEqual([200, 'no-referrer'])
  const done = await started.call('POST', path, { form: ANSWERS })
  expect([done.status, done.headers.get('location')]).toEqual([303, '/admin/w/ana-s-team/connect?first=1'])
  const cookie = cookieIn(done)!
  const keys = await started.call('GET', '/admin/w/ana-s-team/keys', { cookie })
  expect(await keys.text()).toContain('Create the first key')
})

it('takes the form of a page that names no origin', async () => {
  const started = await start({ setUp: false })
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: 'null' }
  const body = new URLSearchParams(ANSWERS).toString()
  expect((await started.call('POST', await link(started), { headers, body })).status).toBe(303)
})

it('answers not_set_up everywhere else meanwhile', async () => {
  const started = await start({ setUp: false })
  for (const path of [
    '/admin',
    '/admin/sign-in',
    '/admin/w/main/keys',
    '/admin/nothing/here',
    '/admin/invitations/x',
  ]) {
    const answer = await started.get(path)
    expect([path, answer.status]).toEqual([path, 503])
    expect(await answer.text()).toContain('not_set_up')
  }
})

it('tells a wrong link from nothing while there is no owner', async () => {
  const started = await start({ setUp: false })
  const path = await link(started)
  const wrong = `${path.slice(0, -4)}0000`
  const page = async (at: string) => plain(await (await started.get(at)).text())
  expect(await page(wrong)).toBe(await page('/admin/keys'))
  expect((await started.call('POST', wrong, { form: ANSWERS })).status).toBe(503)
})

it.each([
  ['on the page', (started: Started, path: string) => started.call('POST', path, { form: ANSWERS })],
  ['on the command line', ({ ctx }: Started) => setUp(ctx, robot, null, OWNER)],
])('leads from every link to signing in once there is an owner, made %s', async (_where, become) => {
  const started = await start({ setUp: false })
  const path = await link(started)
  await become(started, path)
  for (const at of [path, `${path.slice(0, -4)}0000`])
    for (const answer of [await started.get(at), await started.call('POST', at, { form: ANSWERS })]) {
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin/sign-in'])
      const cookie = cookieIn(answer, 'claviger_flash')!
      const page = await (await started.call('GET', '/admin/sign-in', { cookie })).text()
      expect(page).toContain('has its owner already')
    }
  expect(await started.ctx.store.users.list()).toHaveLength(1)
})

it('ends the link after thirty minutes', async () => {
  const started = await start({ setUp: false })
  const path = await link(started)
  started.advance(30 * 60_000)
  expect((await started.get(path)).status).toBe(503)
})

it('brings a form back with what was typed, but no password', async () => {
  const started = await start({ setUp: false })
  const path = await link(started)
  const refused = await started.call('POST', path, { form: { ...ANSWERS, password: 'short-one', email: 'ana' } })
  const page = await refused.text()
  expect(refused.status).toBe(422)
  expect(page).toContain('value="ana"')
  expect(page).toContain('href="#field-email"')
  expect(page).toContain('id="field-email-error"')
  const weak = await started.call('POST', path, { form: { ...ANSWERS, password: 'passwordpassword' } })
  expect(weak.status).toBe(422)
  const again = await weak.text()
  expect(again).toContain('id="field-password-error"')
  expect(again).not.toContain('passwordpassword')
  expect((await started.call('POST', path, { form: ANSWERS })).status).toBe(303)
})

it('lets only one of two at once become the owner', async () => {
  const started = await start({ setUp: false })
  const path = await link(started)
  const answers = await Promise.all([
    started.call('POST', path, { form: ANSWERS }),
    started.call('POST', path, { form: { ...ANSWERS, email: 'ben@example.com' } }),
  ])
  const locations = answers.map(({ headers }) => headers.get('location'))
  expect(locations.sort()).toEqual(['/admin/sign-in', '/admin/w/ana-s-team/connect?first=1'])
  expect(await started.ctx.store.users.list()).toHaveLength(1)
})
