import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newSetupLink } from '../../src/core/workspaces/setup.ts'
import { launchBrowser } from '../support/browser.ts'
import { connect } from '../support/clients.ts'
import { robot, start } from '../support/start.ts'
import { watched } from './watched.ts'

const PASSWORD = 'vast quiet copper lantern'
/** The button itself says so for a second and a half, which a busy machine can miss. */
const COPIED = { timeout: 30_000 }

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

async function newcomer(options: BrowserContextOptions = {}) {
  const started = await start({ setUp: false })
  const link = `${started.origin}/admin/setup/${(await newSetupLink(started.ctx, robot)).reveal()}`
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], ...options })
  const page = await context.newPage()
  const complaints = watched(page)
  const whoami = async (key: string) => (await started.get('/api/v1/whoami', key)).status
  return { ctx: started.ctx, origin: started.origin, link, page, complaints, whoami, finish: () => context.close() }
}

async function signUp(page: Page, link: string) {
  await page.goto(link)
  await page.getByLabel('Your name').fill('Ana Ribeiro')
  await page.getByLabel('E-mail').fill('ana@example.com')
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByLabel('Workspace').fill('Acme')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.waitForURL('**/admin/w/acme/connect?first=1')
}

it('leads from the printed link to a green light, by a real client', { timeout: 120_000 }, async () => {
  const { origin, page, link, complaints, finish } = await newcomer()
  await signUp(page, link)
  await page.getByText('More clients, and code').click()
  await page.getByRole('radio', { name: 'Any other client' }).check({ force: true })
  await page.getByRole('button', { name: 'Issue “Any other client, Ana Ribeiro”' }).click()
  await page.getByText('Waiting for the first call…').waitFor()
  await page.getByRole('heading', { name: 'One paste away' }).waitFor()
  expect(await page.getByText('Your account and workspace are ready.').count()).toBe(0)
  const asked = page.waitForEvent('dialog')
  await page.evaluate('void setTimeout(() => location.reload())')
  const question = await asked
  expect(question.type()).toBe('beforeunload')
  await question.dismiss()
  await page.getByRole('button', { name: 'Copy' }).first().click()
  await expect.poll(() => page.locator('#announce').textContent(), COPIED).toBe('Copied.')
  const pasted = JSON.parse(await page.evaluate<string>('navigator.clipboard.readText()'))
  const { url, headers } = pasted.mcpServers.claviger
  expect(url).toBe(`${origin}/mcp`)

  await (await connect(url, headers.Authorization.replace('Bearer ', ''))).listTools()
  await page.getByText('test-client 1.2.3 is connected').waitFor()
  expect(await page.locator('#first-steps [data-done]').count()).toBe(3)
  expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['The light is green'])
  expect(await page.getByRole('link', { name: 'Later' }).count()).toBe(0)
  await page.getByRole('link', { name: 'Go to your keys' }).click()
  await page.getByRole('link', { name: 'Any other client, Ana Ribeiro' }).waitFor()
  expect(complaints).toEqual([])
  await finish()
})

it('leads there without scripts too', { timeout: 120_000 }, async () => {
  const { page, link, origin, complaints, finish } = await newcomer({ javaScriptEnabled: false })
  await signUp(page, link)
  await page.getByRole('radio', { name: 'Codex' }).focus()
  await page.keyboard.press('ArrowRight')
  await page.getByRole('button', { name: 'Issue “VS Code, Ana Ribeiro”' }).click()
  await page.getByText('The key by itself').click()
  const key = (await page.getByText(/^clv_live_[0-9A-Za-z]{48}$/).textContent())!
  await (await connect(`${origin}/mcp`, key)).listTools()
  const looked = await page.getByRole('link', { name: 'Look again' }).getAttribute('href')
  await expect
    .poll(
      async () => {
        await page.goto(origin + looked)
        return page.getByText('test-client 1.2.3 is connected').count()
      },
      { timeout: 20_000 },
    )
    .toBe(1)
  expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['The light is green'])
  expect(complaints).toEqual([])
  await finish()
})

async function toKeys(page: Page) {
  await page.getByRole('link', { name: 'Later: go to the workspace' }).click()
  await page.waitForURL('**/admin/w/acme/keys')
}

it('leads from the printed link to a key that works, and to its end', { timeout: 60_000 }, async () => {
  const { page, link, whoami, complaints, finish } = await newcomer()
  await signUp(page, link)
  await toKeys(page)
  await page.getByRole('link', { name: 'Create the first key' }).click()

  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name', { exact: true }).fill('Claude Code, laptop')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  await dialog.getByRole('button', { name: 'Copy key' }).click()
  await expect.poll(() => dialog.locator('> [role="status"]').textContent(), COPIED).toBe('Copied.')
  const copied = await page.evaluate<string>('navigator.clipboard.readText()')
  expect(copied).toBe(await dialog.locator('#secret-text').textContent())
  expect(copied).toMatch(/^clv_live_[0-9A-Za-z]{48}$/)

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('link', { name: 'Download as .env' }).click(),
  ])
  expect(download.suggestedFilename()).toBe('claviger.env')
  expect(await readFile(await download.path(), 'utf8')).toBe(`CLAVIGER_KEY=${copied}\n`)
  expect(await whoami(copied)).toBe(200)

  await dialog.getByLabel('I have stored it').check()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('heading', { name: 'Claude Code, laptop', level: 1 }).waitFor()
  expect(await page.content()).not.toContain(copied)
  await page.goBack()
  expect(await page.content()).not.toContain(copied)
  await page.goForward()

  await page.getByRole('link', { name: 'Revoke…' }).click()
  await dialog.getByRole('radio', { name: 'Leaked' }).check({ force: true })
  await dialog.getByRole('button', { name: 'Revoke key' }).click()
  await page.getByText('The key is revoked.').waitFor()
  expect(await whoami(copied)).toBe(401)
  expect(complaints).toEqual([])
  await finish()
})

it('needs no scripts', { timeout: 60_000 }, async () => {
  const { page, link, whoami, complaints, finish } = await newcomer({ javaScriptEnabled: false })
  await signUp(page, link)
  await toKeys(page)
  await page.getByRole('link', { name: 'Create the first key' }).click()
  await page.waitForURL('**/keys/new')
  await page.getByLabel('Name', { exact: true }).fill('script')
  await page.getByRole('button', { name: 'Create key' }).click()
  const key = (await page.locator('#secret-text').textContent())!
  expect(await whoami(key)).toBe(200)

  await page.goto(new URL('/admin/w/acme/keys', link).href)
  await page.getByRole('link', { name: 'script' }).click()
  await page.getByRole('link', { name: 'Rename' }).click()
  await page.getByLabel('New name').fill('nightly script')
  await page.getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('heading', { name: 'nightly script', level: 1 }).waitFor()
  await page.getByRole('link', { name: 'Disable…' }).click()
  await page.getByRole('button', { name: 'Disable key' }).click()
  await page.getByText('Requests with it are refused until it is enabled.').waitFor()
  expect(await whoami(key)).toBe(401)
  await page.getByRole('button', { name: 'Enable' }).click()
  await page.getByText('The key is enabled.').waitFor()
  expect(await whoami(key)).toBe(200)
  await page.getByRole('link', { name: 'Revoke…' }).click()
  await page.getByRole('button', { name: 'Revoke key' }).click()
  await page.getByText('The key is revoked.').waitFor()
  expect(await whoami(key)).toBe(401)
  expect(complaints).toEqual([])
  await finish()
})

it('makes no second key when the page that showed one is reloaded', { timeout: 60_000 }, async () => {
  const { page, link, ctx, finish } = await newcomer({ javaScriptEnabled: false })
  await signUp(page, link)
  await page.goto(new URL('/admin/w/acme/keys/new', link).href)
  await page.getByLabel('Name', { exact: true }).fill('once')
  await page.getByRole('button', { name: 'Create key' }).click()
  const key = (await page.locator('#secret-text').textContent())!
  const answer = await page.reload()
  expect(answer?.status()).toBe(409)
  expect(await page.content()).not.toContain(key)
  const workspace = (await ctx.store.workspaces.bySlug('acme'))!
  expect((await ctx.store.keys.tally({ workspaceId: workspace.id, now: ctx.now() })).active).toBe(1)
  await finish()
})
