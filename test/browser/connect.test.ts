import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { connect } from '../support/clients.ts'
import { start } from '../support/start.ts'
import { watched } from './watched.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

async function signedIn(options: BrowserContextOptions = {}) {
  const app = await start()
  const context = await browser.newContext(options)
  const [name, value] = (await app.cookieOf(app.owner)).split('=') as [string, string]
  await context.addCookies([{ name, value, url: app.origin }])
  const page = await context.newPage()
  return { app, page, complaints: watched(page), base: `${app.origin}/admin/w/main`, finish: () => context.close() }
}

it('fills the new key in for every client, and shows when it comes', { timeout: 90_000 }, async () => {
  const { app, page, base, complaints, finish } = await signedIn()
  await page.goto(`${base}/keys`)
  await page.getByRole('link', { name: 'Create the first key' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name', { exact: true }).fill('"><b>laptop</b>')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  const key = (await dialog.locator('#secret-text').textContent())!

  await dialog.getByRole('radio', { name: 'Claude Code' }).focus()
  for (const label of ['Codex', 'VS Code', 'VS Code Insiders', 'Cursor']) {
    await page.keyboard.press('ArrowRight')
    await dialog.getByRole('group', { name: label, exact: true }).waitFor()
    expect(await dialog.getByRole('group', { name: 'Claude Code', exact: true }).count()).toBe(0)
  }
  const link = new URL((await dialog.getByRole('link', { name: 'Open Cursor' }).first().getAttribute('href'))!)
  const { url, headers } = JSON.parse(Buffer.from(link.searchParams.get('config')!, 'base64').toString())
  expect([url, headers.Authorization]).toEqual([`${app.origin}/mcp`, `Bearer ${key}`])

  await dialog.getByText('Waiting for the first call…').waitFor()
  await (await connect(url, key)).listTools()
  await dialog.getByText('test-client 1.2.3 is connected').waitFor()
  expect(complaints).toEqual([])
  await finish()
})

it('opens on a key’s page, and gives a client its own key on a phone', { timeout: 90_000 }, async () => {
  const { app, page, base, complaints, finish } = await signedIn({ viewport: { width: 390, height: 844 } })
  const { key } = await app.key({ name: 'laptop', scopes: ['mcp:docs:*'] })
  await page.goto(`${base}/keys/${key.id}`)
  await page.getByText('Waiting for the first call…').waitFor()
  await page.getByRole('link', { name: 'Connect…' }).click()
  const focused = () => page.evaluate<string>('document.activeElement.textContent')
  await expect.poll(focused, { timeout: 10_000 }).toBe('Connect a client')
  await page.getByRole('radio', { name: 'claude.ai' }).check({ force: true })
  await page.getByText('claude.ai cannot come here.').waitFor()
  await page.getByRole('button', { name: 'Issue “claude.ai, Ana”' }).click()
  await page.getByText('Whoever sees this URL has the key.').first().waitFor()
  await expect.poll(focused, { timeout: 10_000 }).toBe('Connect claude.ai')
  const shown = (await page.locator('#connect pre').allTextContents()).join(' ')
  expect(shown).toMatch(/\/mcp\?api_key=clv_live_\w{48} /)
  const width = await page.evaluate<number>('document.documentElement.scrollWidth')
  expect(width).toBeLessThanOrEqual(390)
  expect(complaints).toEqual([])
  await finish()
})

it('stands twice on one page without mixing up, once the key is rotated there', { timeout: 90_000 }, async () => {
  const { app, page, base, complaints, finish } = await signedIn()
  const { key } = await app.key({ name: 'laptop' })
  await page.goto(`${base}/keys/${key.id}`)
  await page.getByRole('link', { name: 'Connect…' }).click()
  await page.getByRole('radio', { name: 'Codex' }).check({ force: true })
  await page
    .getByRole('link', { name: /Rotate/ })
    .first()
    .click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Rotate key' }).click()
  await dialog.getByRole('radio', { name: 'Cursor', exact: true }).check({ force: true })
  const ids = await page.evaluate<string[]>('[...document.querySelectorAll("[id]")].map(({ id }) => id)')
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
  expect(await page.getByRole('main').getByRole('radio', { name: 'Codex' }).isChecked()).toBe(true)
  expect(complaints).toEqual([])
  await finish()
})
