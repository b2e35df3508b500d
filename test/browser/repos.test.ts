import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { start } from '../support/start.ts'
import { zipOf } from '../support/zip.ts'
import { watched } from './watched.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

it.each([
  ['with scripts', true],
  ['without scripts', false],
])('takes documents and finds what is in them, %s', { timeout: 120_000 }, async (_how, javaScriptEnabled) => {
  const app = await start()
  const context = await browser.newContext({ javaScriptEnabled })
  const [name, value] = (await app.cookieOf(app.owner)).split('=')
  await context.addCookies([{ name: name!, value: value!, url: app.origin }])
  const page = await context.newPage()
  const complaints = watched(page)

  await page.goto(`${app.origin}/admin/w/main/repos`)
  await page.getByRole('link', { name: 'Add a repo' }).click()
  await page.getByLabel('Name').fill('handbook')
  await page.getByRole('button', { name: 'Add the repo' }).click()
  await page.getByRole('heading', { name: 'handbook' }).waitFor()
  await page.getByLabel('Add files').setInputFiles([
    { name: 'tea.md', mimeType: 'text/markdown', buffer: Buffer.from('# Tea\n\nThe samovar boils at four.\n') },
    {
      name: 'more.zip',
      mimeType: 'application/zip',
      buffer: Buffer.from(zipOf({ 'a/lunch.md': '# Lunch\n\nAt noon.' })),
    },
  ])
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('The files are there').waitFor()
  await page.getByText('a/lunch.md').waitFor()

  await page.getByRole('link', { name: 'Documents', exact: true }).first().click()
  await page.getByRole('searchbox').fill('samovar')
  await page.getByRole('searchbox').press('Enter')
  await page.getByText('The samovar boils at four.').waitFor()

  await page.getByRole('link', { name: 'handbook' }).click()
  await page.getByRole('link', { name: 'Remove tea.md' }).click()
  await page.getByRole('button', { name: 'Remove the file' }).click()
  await page.getByText('The file is removed.').waitFor()
  expect(await page.getByText('tea.md').count()).toBe(0)
  expect(complaints).toEqual([])
  await context.close()
})

it('reads the manual on a phone, from page to page', { timeout: 120_000 }, async () => {
  const app = await start({ setUp: false })
  const context = await browser.newContext({ viewport: { width: 390, height: 780 } })
  const page = await context.newPage()
  const complaints = watched(page)
  await page.goto(`${app.origin}/docs`)
  await page.getByRole('main').getByRole('link', { name: 'permissions' }).first().click()
  await page.getByRole('heading', { name: 'Permissions' }).waitFor()
  await page.getByText('On this page').click()
  await page.getByRole('link', { name: 'Let a key manage other keys', exact: true }).click()
  await page.waitForURL('**/docs/permissions#let-a-key-manage-other-keys')
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
  expect(complaints).toEqual([])
  await context.close()
})
