import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PAGES } from '../../src/admin/routes.ts'
import { disable, revoke } from '../../src/core/keys/lifecycle.ts'
import { addMcp } from '../../src/core/mcps/edit.ts'
import { addRepo } from '../../src/core/repos/edit.ts'
import { invite } from '../../src/core/workspaces/members.ts'
import { newSetupLink } from '../../src/core/workspaces/setup.ts'
import { launchBrowser } from '../support/browser.ts'
import { operator, robot, type Started, start } from '../support/start.ts'
import { zipOf } from '../support/zip.ts'
import { watched } from './watched.ts'

/** Where to put a photograph of each page, for people to look at. */
const folder = process.env.CLAVIGER_TEST_PHOTOGRAPHS

const LOOKS = [
  { look: 'light', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  { look: 'dark', viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  { look: 'phone', viewport: { width: 360, height: 780 }, colorScheme: 'light' },
  { look: 'phone-dark', viewport: { width: 360, height: 780 }, colorScheme: 'dark' },
] as const
const WATCHED = folder ? LOOKS : LOOKS.filter(({ look }) => look === 'light' || look === 'phone-dark')

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

/** A workspace in the middle of its life. */
async function inUse() {
  const started = await start()
  const { ctx, owner, workspace, key, person } = started
  const caller = { kind: 'person', actor: robot, user: owner, role: 'owner' } as const
  const used = (
    await key(
      {
        name: 'Claude Code, laptop',
        description: 'For work on the handbook.',
        scopes: ['mcp:docs:*', 'usage:read'],
        ipAllow: ['203.0.113.0/24'],
        expiresAt: new Date('2026-06-05'),
      },
      workspace.id,
      caller,
    )
  ).key
  await key({ name: 'CI', environment: 'test', notBefore: new Date('2026-07-01') })
  await key({
    name: 'A name that goes on and on so that one can see where it breaks on a narrow screen',
    allowInUrl: true,
  })
  await disable(ctx, operator, workspace.id, (await key({ name: 'paused' })).key.id)
  await revoke(ctx, operator, workspace.id, (await key({ name: 'leaked', type: 'unrestricted' })).key.id, 'leaked')
  const call = {
    workspaceId: workspace.id,
    requestId: 'req_1',
    keyId: used.id,
    mcp: 'docs',
    environment: 'live',
  } as const
  const made = { ...call, method: 'tools/call', tool: 'search', status: 200, latencyMs: 12.4, upstreamMs: 11 } as const
  const from = { ip: '203.0.113.7', client: 'claude-code 2.1' }
  await ctx.store.activity.write([
    { ...made, ...from, at: ctx.now(), outcome: 'ok' },
    { ...made, ...from, at: ctx.now(), outcome: 'tool_not_permitted' },
  ])
  await ctx.store.uses.note([{ ...from, keyId: used.id, at: ctx.now(), requests: 2 }])
  const member = await person('member', 'ben.with-a-rather-long-name@example.com')
  await key({ name: 'n8n' }, workspace.id, member.caller)
  await person('viewer')
  const { token } = await invite(ctx, operator, workspace.id, { email: 'zoe@example.com', role: 'admin' })
  await invite(ctx, operator, workspace.id, { email: null, role: 'viewer' })
  const live = { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} } as const
  const wiki = await addMcp(ctx, operator, workspace.id, { slug: 'wiki', name: 'Company wiki', live })
  const tools = ['search', 'read_page', 'write_page'].map((name) => ({ name, description: `What ${name} does.` }))
  const known = { offer: { tools, prompts: [], resources: [], templates: [] }, heardAt: ctx.now() }
  await ctx.store.mcps.keepOffer(wiki, 'live', known)
  await handbook(started)
  return {
    started,
    key: used.id,
    member: member.user.id,
    invitation: token.reveal(),
    cookie: await started.cookieOf(owner),
  }
}

/** Documents of every kind of repo, one of them with a file that is passed over. */
async function handbook({ ctx, workspace, origin, key }: Started) {
  await addRepo(ctx, operator, workspace.id, { name: 'claviger', source: 'manual', environments: ['live', 'test'] })
  await addRepo(ctx, operator, workspace.id, { name: 'handbook' })
  await addMcp(ctx, operator, workspace.id, {
    slug: 'docs',
    name: 'Documentation',
    live: { kind: 'builtin', name: 'docs' },
    test: { kind: 'builtin', name: 'docs' },
  })
  const { fullKey } = await key({ name: 'docs', scopes: ['repo:write'] })
  await fetch(`${origin}/api/v1/repos/handbook/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${fullKey}` },
    body: zipOf({
      'welcome.md': '# Welcome\n\nHow we work here.\n',
      'guides/a-path-that-goes-on/and-on-so-that-one-can-see/where-it-breaks-on-a-narrow-screen.md':
        '# Long\n\nText.\n',
      'logo.png': 'not text',
    }),
  })
}

const SIGNED_OUT = ['/sign-in', '/invitations/:token']

it.each(WATCHED)('shows every page as it should be, $look', { timeout: 120_000 }, async ({ look, ...options }) => {
  const { started, key, member, invitation, cookie } = await inUse()
  const inside = await open(started, options, cookie)
  const outside = await open(started, options)
  for (const { method, path } of PAGES) {
    if (method !== 'get' || path === '/setup/:token') continue
    const parts: Record<string, string> = {
      slug: 'main',
      mcp: 'wiki',
      repo: 'handbook',
      token: invitation,
      id: path.includes('/members/') ? member : key,
    }
    const address = path.replace(/:(\w+)/g, (_, name) => parts[name] ?? `(no ${name} in this scene)`)
    const { visit } = SIGNED_OUT.includes(path) ? outside : inside
    await visit(
      `/admin${address}`,
      `${path.replace('/w/:slug', '').replace(/[/:]+/g, '-').slice(1) || 'front'}-${look}`,
    )
  }
  await inside.visit('/admin/w/main/repos?q=rotate+a+key', `repos-found-${look}`)
  await inside.visit('/admin/w/main/mcps/docs', `mcps-builtin-${look}`)
  await inside.visit('/admin/w/main/repos/claviger', `repos-manual-${look}`)
  for (const page of ['quick-start', 'people', 'performance']) await outside.visit(`/docs/${page}`, `${page}-${look}`)
  await inside.visit(`/admin/invitations/${invitation}`, `invitation-signed-in-${look}`)
  await inside.visit('/admin/w/main/keys?q=nothing', `keys-none-${look}`)
  await inside.visit('/admin/nowhere', `error-${look}`, 404)
  await inside.finish()
  await outside.finish()
})

it.each(WATCHED)(
  'shows the set-up and an empty workspace, $look',
  { timeout: 60_000 },
  async ({ look, ...options }) => {
    const started = await start({ setUp: false })
    const { visit, page, finish } = await open(started, options)
    await visit('/admin', `not-set-up-${look}`, 503)
    await visit(`/admin/setup/${(await newSetupLink(started.ctx, robot)).reveal()}`, `setup-${look}`)
    await page.getByLabel('Your name').fill('Ana')
    await page.getByLabel('E-mail').fill('ana@example.com')
    await page.getByRole('textbox', { name: 'Password' }).fill('vast quiet copper lantern')
    await page.getByLabel('Workspace').fill('Acme')
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.waitForURL('**/connect?first=1')
    await visit('/admin/w/acme/connect?first=1', `first-key-${look}`)
    await visit('/admin/w/acme/keys', `empty-${look}`)
    await page.getByRole('link', { name: 'Create the first key' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name', { exact: true }).fill('laptop')
    if (folder) await page.screenshot({ path: join(folder, `dialog-${look}.png`) })
    await dialog.getByRole('button', { name: 'Create key' }).click()
    await dialog.locator('#secret-text').waitFor()
    if (folder) await page.screenshot({ path: join(folder, `issued-${look}.png`) })
    await finish()
  },
)

async function open(started: Started, options: Parameters<Browser['newContext']>[0], cookie?: string) {
  const context = await browser.newContext(options)
  const [name, value] = cookie?.split('=') ?? []
  if (name && value) await context.addCookies([{ name, value, url: started.origin }])
  const page = await context.newPage()
  const complaints = watched(page)
  return {
    page,
    async visit(path: string, photograph: string, status = 200) {
      const answer = await page.goto(started.origin + path)
      expect([path, answer?.status()]).toEqual([path, status])
      const over = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      expect([path, over]).toEqual([path, 0])
      expect(complaints.filter((line) => status === 200 || !line.includes(`status of ${status}`))).toEqual([])
      complaints.splice(0)
      if (folder) await page.screenshot({ path: join(folder, `${photograph}.png`), fullPage: true })
    },
    finish: () => context.close(),
  }
}
