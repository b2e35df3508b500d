import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { disable } from '../../src/core/keys/lifecycle.ts'
import { launchBrowser } from '../support/browser.ts'
import { operator, start } from '../support/start.ts'
import { watched } from './watched.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

let page: Page
let complaints: string[]
afterEach(async () => {
  await page.context().close()
  expect(complaints).toEqual([])
})

async function ana() {
  const started = await start()
  const [name, value] = (await started.cookieOf(started.owner)).split('=')
  const context = await browser.newContext()
  await context.addCookies([{ name: name!, value: value!, url: started.origin }])
  page = await context.newPage()
  complaints = watched(page)
  const loads: string[] = []
  page.on('request', (request) => request.isNavigationRequest() && loads.push(request.url()))
  page.setDefaultTimeout(5000)
  return { started, loads, go: (path: string) => page.goto(started.origin + path) }
}

const row = (name: string) => page.getByRole('row').filter({ hasText: name })
const choose = async (name: string, action: string) => {
  await row(name).getByLabel(`Actions for ${name}`).click()
  await row(name).getByText(action).click()
}

it('renames a key in its row', async () => {
  const { started, go, loads } = await ana()
  await started.key({ name: 'laptop' })
  await go('/admin/w/main/keys')
  await choose('laptop', 'Rename')
  await page.getByLabel('New name').fill('Ana’s laptop')
  await page.keyboard.press('Enter')
  await row('Ana’s laptop').getByRole('link', { name: 'Ana’s laptop' }).waitFor()
  expect(loads).toHaveLength(1)
})

it('enables a key in its row, and asks before it disables one', async () => {
  const { started, go } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await disable(started.ctx, operator, started.workspace.id, key.id)
  await go('/admin/w/main/keys')
  await choose('laptop', 'Enable')
  await row('laptop').getByText('Active').waitFor()
  await choose('laptop', 'Disable…')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Nobody has ever used it.').waitFor()
  await dialog.getByRole('link', { name: 'Keep it' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await choose('laptop', 'Disable…')
  await dialog.getByRole('button', { name: 'Disable key' }).click()
  await page.getByText('The key is disabled.').waitFor()
})

it('says above the list why a change was refused', async () => {
  const { started, go } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await disable(started.ctx, operator, started.workspace.id, key.id)
  await go('/admin/w/main/keys')
  await started.call('POST', `/admin/w/main/keys/${key.id}/delete`, {
    cookie: await started.cookieOf(started.owner),
    form: {},
  })
  await choose('laptop', 'Enable')
  await page.locator('#flash').getByText('There is no such key.').waitFor()
  expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 404')])
})

it('searches while somebody types', async () => {
  const { started, go, loads } = await ana()
  await started.key({ name: 'laptop' })
  await started.key({ name: 'build' })
  await go('/admin/w/main/keys')
  await page.getByRole('searchbox').pressSequentially('bui')
  await row('laptop').waitFor({ state: 'detached' })
  expect(await row('build').count()).toBe(1)
  expect(new URL(page.url()).searchParams.get('q')).toBe('bui')
  expect(loads).toHaveLength(1)
})

it('keeps a form in the dialog until it is right', async () => {
  const { started, go } = await ana()
  await started.key({ name: 'laptop' })
  await go('/admin/w/main/keys')
  await page.getByRole('link', { name: 'Create key' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name', { exact: true }).fill('build')
  await dialog.getByLabel('On a date').check()
  await dialog.getByRole('button', { name: 'Create key' }).click()
  await dialog.getByText('Choose the last day').first().waitFor()
  expect(await dialog.getByLabel('Name', { exact: true }).inputValue()).toBe('build')
  await dialog.getByLabel('Last day').fill('2026-12-31')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  await dialog.locator('#secret-text').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await dialog.getByLabel('I have stored it').check() // the second stroke closes it for a moment, whatever the page says
  expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 422')])
})

it('changes a role where it stands', async () => {
  const { started, go, loads } = await ana()
  const { user } = await started.person('viewer')
  await go('/admin/w/main/members')
  const answered = page.waitForResponse((response) => response.url().endsWith('/role'))
  await page.getByLabel('Role of viewer').selectOption('admin')
  await (await answered).finished()
  await row('viewer@example.com').getByRole('combobox').waitFor()
  expect(await started.ctx.store.members.roleOf(started.workspace.id, user.id)).toBe('admin')
  expect(await page.getByLabel('Role of viewer').inputValue()).toBe('admin')
  expect(loads).toHaveLength(1)
})

it('leads to the sign-in when the session ended meanwhile', async () => {
  const { started, go } = await ana()
  await started.key({ name: 'laptop' })
  await go('/admin/w/main/keys')
  started.advance(8 * 86_400_000)
  await page.getByRole('link', { name: 'Create key' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(new URL(page.url()).searchParams.get('next')).toBe('/admin/w/main/keys')
  expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 401')])
})
