import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { rotate } from '../../src/core/keys/rotation.ts'
import { addMcp } from '../../src/core/mcps/edit.ts'
import { operator, type Started } from '../support/start.ts'
import { browserOfAna } from './signed-in.ts'

const ana = browserOfAna()
const KEYS = '/admin/w/main/keys'

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })
const focused = (page: Page) =>
  page.evaluate(
    '(document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim()',
  )
const said = (page: Page) => page.locator('#announce').textContent()

async function choose(page: Page, name: string, action: string) {
  await row(page, name).getByLabel(`Actions for ${name}`).click()
  await row(page, name).getByText(action, { exact: true }).click()
}

async function used({ ctx, workspace }: Started, keyId: string) {
  const line = {
    workspaceId: workspace.id,
    at: ctx.now(),
    requestId: 'req_1',
    keyId,
    mcp: 'docs',
    method: 'tools/call',
    tool: 'search',
    environment: 'live',
    outcome: 'ok',
    status: 200,
    latencyMs: 3,
    upstreamMs: 2,
    ip: '203.0.113.7',
    client: 'cursor 1.0',
  } as const
  await ctx.store.activity.write([line])
  await ctx.store.uses.note([{ keyId, at: ctx.now(), ip: line.ip, client: line.client, requests: 1 }])
}

it('keeps the focus where somebody works, and says what was done', async () => {
  const { started, page, go, loads } = await ana()
  await started.key({ name: 'laptop' })
  await go(KEYS)
  await choose(page, 'laptop', 'Rename')
  await page.getByLabel('New name').waitFor()
  expect(await page.evaluate('document.activeElement.name')).toBe('name')
  await page.getByRole('link', { name: 'Cancel' }).click()
  await row(page, 'laptop').getByRole('link', { name: 'laptop' }).waitFor()
  expect(await focused(page)).toBe('laptop')
  await choose(page, 'laptop', 'Rename')
  await page.getByLabel('New name').fill('desktop')
  await page.keyboard.press('Enter')
  await row(page, 'desktop').getByRole('link', { name: 'desktop' }).waitFor()
  expect(await focused(page)).toBe('desktop')
  expect(await said(page)).toBe('The key has its new name.')
  expect(loads).toHaveLength(1)
})

it('renames a key in the heading of its page', async () => {
  const { started, page, go, loads, complaints } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await go(`${KEYS}/${key.id}`)
  await page.getByRole('link', { name: 'Rename' }).click()
  await page.getByLabel('New name').fill(' ')
  await page.keyboard.press('Enter')
  await page.getByText('1 to 100 characters').waitFor()
  await page.getByLabel('New name').fill('desktop')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'desktop' }).waitFor()
  expect(await focused(page)).toBe('Rename')
  expect(loads).toHaveLength(1)
  expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 422')])
})

it('gives the focus back to the menu that a dialog came from', async () => {
  const { started, page, go } = await ana()
  await started.key({ name: 'laptop' })
  await go(KEYS)
  for (const action of ['Change…', 'Rotate…', 'Disable…', 'Revoke…', 'Delete…']) {
    await choose(page, 'laptop', action)
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('heading', { level: 2 }).first().waitFor()
    expect(await page.evaluate('document.querySelector("dialog").contains(document.activeElement)')).toBe(true)
    for (let i = 0; i < 40; i++) await page.keyboard.press('Tab')
    const outside =
      '!document.querySelector("dialog").contains(document.activeElement) && document.activeElement !== document.body'
    expect(await page.evaluate(outside)).toBe(false)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await expect.poll(() => focused(page), { timeout: 10_000 }).toBe('Actions for laptop')
  }
})

it('changes a key in the dialog, once it is right', async () => {
  const { started, page, go, complaints } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await go(KEYS)
  await choose(page, 'laptop', 'Change…')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Addresses, start and limits').click()
  await dialog.getByLabel('Allowed addresses').fill('300.1.1.1')
  await dialog.getByLabel('Description').fill('for travelling')
  await dialog.getByRole('button', { name: 'Save changes' }).click()
  await dialog.getByText('"300.1.1.1" is no address').first().waitFor()
  expect(await dialog.getByLabel('Description').inputValue()).toBe('for travelling')
  await dialog.getByLabel('Allowed addresses').fill('10.0.0.0/8')
  await dialog.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('The changes are saved.').waitFor()
  expect(await started.ctx.store.keys.byId(started.workspace.id, key.id)).toMatchObject({
    description: 'for travelling',
    ipAllow: ['10.0.0.0/8'],
    revision: 2,
  })
  expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 422')])
})

it('shows the tools of a server only once the server is chosen', async () => {
  const { started, page, go } = await ana()
  const live = { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} } as const
  await addMcp(started.ctx, operator, started.workspace.id, { slug: 'wiki', live })
  await go(`${KEYS}/new`)
  await page.getByRole('radio', { name: 'Selected' }).check()
  const some = page.getByText(/^Only some of its/).first()
  expect(await some.isVisible()).toBe(false)
  await page.locator('[name="mcps"]').first().check()
  expect(await some.isVisible()).toBe(true)
})

it('rotates a key in the dialog, and lets nobody leave before the secret is kept', async () => {
  const { started, page, go } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await used(started, key.id)
  await go(KEYS)
  await choose(page, 'laptop', 'Rotate…')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('cursor 1.0').waitFor()
  const warning = dialog.getByText('is refused from now on')
  expect(await warning.isVisible()).toBe(false)
  await dialog.getByLabel('Not at all').check()
  expect(await warning.isVisible()).toBe(true)
  await dialog.getByLabel('7 days').check()
  await dialog.getByRole('button', { name: 'Rotate key' }).click()
  await dialog.getByText('has a new secret').waitFor()
  await dialog.getByRole('button', { name: 'Copy key' }).click()
  await expect
    .poll(() => dialog.locator('> [role="status"]').textContent(), { timeout: 10_000 })
    .toMatch(/copied|copy/i)
  await dialog.getByRole('button', { name: 'Close' }).click()
  expect(await dialog.isVisible()).toBe(true)
  await dialog.getByLabel('I have stored it').check()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByText('Two secrets work').waitFor()
  await page.getByText('It was last used just now.').waitFor()
})

it('asks before it finishes a rotation', async () => {
  const { started, page, go } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await rotate(started.ctx, operator, started.workspace.id, key.id)
  await go(`${KEYS}/${key.id}`)
  await page.getByRole('link', { name: 'Finish now…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Finish now' }).click()
  await page.getByText('The rotation is finished.').waitFor()
  expect(await page.getByText('Two secrets work').count()).toBe(0)
})

it('revokes with a reason in somebody’s own words', async () => {
  const { started, page, go } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await used(started, key.id)
  await go(`${KEYS}/${key.id}`)
  await page.getByRole('link', { name: 'Revoke…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('1 call in the last 24 hours').waitFor()
  expect(await dialog.getByLabel('In your words').isVisible()).toBe(false)
  await dialog.getByLabel('Another').check()
  await dialog.getByLabel('In your words').fill('left on a train')
  await dialog.getByRole('button', { name: 'Revoke key' }).click()
  await page.getByText('Reason: left on a train.').waitFor()
})

it('tells why a change was refused, above the page and not in the dialog', async () => {
  const { started, page, go, complaints } = await ana()
  const { key } = await started.key({ name: 'laptop' })
  await go(KEYS)
  await choose(page, 'laptop', 'Disable…')
  await page.getByRole('dialog').getByRole('button', { name: 'Disable key' }).waitFor()
  await started.call('POST', `${KEYS}/${key.id}/delete`, { cookie: await started.cookieOf(started.owner), form: {} })
  await page.getByRole('dialog').getByRole('button', { name: 'Disable key' }).click()
  await page.locator('#flash').getByText('There is no such key.').waitFor()
  expect(await page.getByRole('dialog').isVisible()).toBe(false)
  expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 404')])
})

it('copies the hint by mouse and by keyboard', async () => {
  const { started, page, go } = await ana({ permissions: ['clipboard-read', 'clipboard-write'] })
  const { key } = await started.key({ name: 'laptop' })
  await go(KEYS)
  const copy = page.getByRole('button', { name: `Copy ${key.hint}` })
  await copy.focus()
  await page.keyboard.press('Enter')
  await expect.poll(() => said(page), { timeout: 10_000 }).toBe('Copied.')
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key.hint)
})

it('goes the whole way without scripts', async () => {
  const { page, go, complaints } = await ana({ javaScriptEnabled: false })
  await go(KEYS)
  await page.getByRole('link', { name: 'Create the first key' }).click()
  await page.getByLabel('Name', { exact: true }).fill('laptop')
  await page.getByLabel('On a date').check()
  await page.getByRole('button', { name: 'Create key' }).click()
  await page.getByRole('link', { name: 'Choose the last day' }).waitFor()
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('laptop')
  await page.getByLabel('Last day').fill('2026-12-31')
  await page.getByRole('button', { name: 'Create key' }).click()
  await page.getByRole('heading', { name: 'laptop is ready' }).waitFor()
  await page.getByLabel('I have stored it').check()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('link', { name: 'Rename' }).click()
  await page.getByLabel('New name').fill('desktop')
  await page.getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('heading', { level: 1, name: 'desktop' }).waitFor()
  await page.getByRole('link', { name: 'Change', exact: true }).click()
  await page.getByLabel('Description').fill('for travelling')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await page.getByText('for travelling').waitFor()
  await page.getByRole('link', { name: 'Rotate' }).click()
  await page.getByRole('button', { name: 'Rotate key' }).click()
  await page.getByRole('heading', { name: 'desktop has a new secret' }).waitFor()
  await page.getByLabel('I have stored it').check()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('link', { name: 'Finish now…' }).click()
  await page.getByRole('button', { name: 'Finish now' }).click()
  await page.getByText('The rotation is finished.').waitFor()
  await page.getByRole('link', { name: 'Revoke…' }).click()
  await page.getByLabel('Leaked').check()
  await page.getByRole('button', { name: 'Revoke key' }).click()
  await page.getByText('Reason: leaked.').waitFor()
  await page.getByRole('link', { name: 'Delete…' }).click()
  await page.getByRole('button', { name: 'Delete key' }).click()
  await page.getByRole('heading', { name: 'No keys yet' }).waitFor()
  expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 422')])
})
