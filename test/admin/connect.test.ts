import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newOnce } from '../../src/admin/once.ts'
import type { ActivityLine } from '../../src/core/activity.ts'
import { CLIENT_NAMES } from '../../src/core/connect/clients.ts'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { connect } from '../support/clients.ts'
import { offering, overHttp } from '../support/mcp.ts'
import { robot, type Started, start } from '../support/start.ts'
import { fullKeyIn } from './forms.ts'

const PAGE = '/admin/w/main/connect'

async function world(env: Record<string, string> = {}) {
  const app = await start({ env })
  const { cookie: plain, caller } = await app.person('member', 'ana.member@example.com')
  const cookie = env.CLAVIGER_PUBLIC_URL ? `__Host-${plain}` : plain // as browsers keep it behind https
  const keys = () =>
    app.ctx.store.keys.list({ workspaceId: app.workspace.id, now: app.ctx.now() }, { limit: 50, cursor: null })
  return {
    app,
    caller,
    cookie,
    names: async () => (await keys()).items.map(({ name }) => name),
    newest: async () => (await keys()).items[0]!,
    see: async (path: string, headers = {}) => (await app.call('GET', path, { cookie, headers })).text(),
    issue: (form: Record<string, string>, headers = {}) =>
      app.call('POST', PAGE, { cookie, headers, form: { once: newOnce(app.ctx.now()), ...form } }),
  }
}

async function behindHttps() {
  const here = await world({ CLAVIGER_PUBLIC_URL: 'https://keys.acme.com' })
  const headers = { host: 'keys.acme.com', origin: 'https://keys.acme.com' }
  return { ...here, issue: (form: Record<string, string>) => here.issue(form, headers) }
}

describe('the page that connects', () => {
  it('makes nothing by being opened', async () => {
    const { see, names } = await world()
    const page = await see(PAGE)
    for (const client of CLIENT_NAMES) expect(page).toContain(`data-client="${client}"`)
    expect(page).toContain('Issue “Claude Code, ana.member”')
    expect(page).toContain('counts as one more of the plan’s keys')
    expect([fullKeyIn(page), await names()]).toEqual([null, []])
  })

  it('shows each client’s panel once it is chosen, by a rule of its own', () => {
    const css = readFileSync(join(import.meta.dirname, '../../static/admin.css'), 'utf8')
    for (const client of CLIENT_NAMES)
      expect(css).toContain(`:not(:has([value="${client}"]:checked)) [data-client="${client}"]`)
  })

  it('warns before a key is issued for a client that cannot come here', async () => {
    const inside = await (await world()).see(PAGE)
    expect(inside).toContain('claude.ai cannot come here.')
    expect(inside).toContain('cloudflared tunnel')
    const { app, cookie } = await world({ CLAVIGER_PUBLIC_URL: 'https://keys.acme.com' })
    const outside = await app.call('GET', PAGE, { cookie, headers: { host: 'keys.acme.com' } })
    const said = await outside.text()
    expect(said).toContain('https://keys.acme.com/mcp')
    expect(said).not.toContain('cannot come here')
  })

  it('offers no key to who may issue none, but shows the ways', async () => {
    const { app } = await world()
    const { cookie } = await app.person('viewer')
    const page = await (await app.call('GET', PAGE, { cookie })).text()
    expect(page).toContain('Your role issues no keys.')
    expect(page).toContain('YOUR_API_KEY')
    expect(page).not.toContain('<button class="button button-primary">Issue')
  })

  it('says in the first run that there is a key already', async () => {
    const { app, caller, see } = await world()
    expect(await see(`${PAGE}?first=1`)).not.toContain('You have a key already')
    await app.key({ name: 'laptop' }, app.workspace.id, caller)
    expect(await see(`${PAGE}?first=1`)).toContain('You have a key already, “laptop”.')
  })

  it('is led to from a key’s page and an MCP’s', async () => {
    const { app, caller, see } = await world()
    const { key } = await app.key({ name: 'laptop' }, app.workspace.id, caller)
    await offering(app, 'wiki', { live: { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} } })
    expect(await see(`/admin/w/main/keys/${key.id}`)).toContain(`href="${PAGE}?key=${key.id}"`)
    expect(await see('/admin/w/main/mcps/wiki')).toContain(`href="${PAGE}?mcp=wiki"`)
    expect(await see(`${PAGE}?key=${key.id}`)).toContain('It may do what “laptop” may')
    expect(await see(`${PAGE}?mcp=wiki`)).toContain('/mcp/wiki')
  })
})

describe('one click', () => {
  it('issues the client’s own key and fills it in, once', async () => {
    const { app, issue, newest, names } = await world()
    const once = newOnce(app.ctx.now())
    const answer = await issue({ client: 'claude-code', once })
    const html = await answer.text()
    const key = fullKeyIn(html)!
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(unescaped(html)).toContain(
      `claude mcp add --scope user --transport http claviger ${app.origin}/mcp --header "Authorization: Bearer ${key}"`,
    )
    expect(await newest()).toMatchObject({ name: 'Claude Code, ana.member', allowInUrl: false, scopes: ['mcp:*'] })
    expect((await app.get('/api/v1/whoami', key)).status).toBe(200)
    expect((await issue({ client: 'claude-code', once })).status).toBe(409)
    expect(await names()).toHaveLength(1)
  })

  it('takes the powers of the key whose page it was', async () => {
    const { app, caller, issue, newest } = await world()
    const { key } = await app.key({ scopes: ['mcp:docs:*'], quotaPerDay: 5 }, app.workspace.id, caller)
    app.advance(1)
    await issue({ client: 'cursor', key: key.id })
    expect(await newest()).toMatchObject({ name: 'Cursor, ana.member', scopes: ['mcp:docs:*'], quotaPerDay: 5 })
  })

  it('says what a key that the page picked opens, and leaves what it manages', async () => {
    const { app, caller, see, issue, newest } = await world()
    const scopes = ['mcp:wiki:*', 'keys:write']
    const { key } = await app.key({ name: 'laptop', scopes }, app.workspace.id, caller)
    await offering(app, 'wiki', { live: { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} } })
    const page = await see(`${PAGE}?mcp=wiki`)
    expect(page).toContain('It opens the MCPs that “laptop” opens, and nothing else')
    expect(page).toContain('<li>Use every tool, prompt and resource of wiki.</li>')
    app.advance(1)
    await issue({ client: 'codex', ...hiddenIn(page) })
    expect(await newest()).toMatchObject({ name: 'Codex, ana.member', scopes: ['mcp:wiki:*'] })
    app.advance(1)
    await issue({ client: 'codex', ...hiddenIn(await see(`${PAGE}?key=${key.id}`)) })
    expect(await newest()).toMatchObject({ name: 'Codex, ana.member 2', scopes })
  })

  it('keeps to what the page said, though there is another key by now', async () => {
    const { app, caller, see, issue, newest } = await world()
    const hidden = hiddenIn(await see(PAGE))
    await app.key({ scopes: ['mcp:docs:*'], quotaPerDay: 5 }, app.workspace.id, caller)
    app.advance(1)
    await issue({ client: 'codex', ...hidden })
    expect(await newest()).toMatchObject({ scopes: ['mcp:*'], quotaPerDay: null })
  })

  it('leads on to another client, from the same key', async () => {
    const { app, caller, issue, see } = await world()
    const { key } = await app.key({ name: 'laptop' }, app.workspace.id, caller)
    const html = await (await issue({ client: 'codex', key: key.id, first: '1' })).text()
    const href = unescaped(/<a href="([^"]*)">Another client</.exec(html)![1]!)
    expect(await see(href)).toContain('It may do what “laptop” may')
  })

  it('makes a test key for an MCP that has a test target alone', async () => {
    const { app, issue, newest } = await world()
    await offering(app, 'lab', { test: { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} } })
    await issue({ client: 'codex', mcp: 'lab' })
    expect(await newest()).toMatchObject({
      environment: 'test',
      mcpAccess: { mode: 'selected', mcps: [{ slug: 'lab', tools: null }] },
    })
  })

  it('gives claude.ai a URL that works, and ends', async () => {
    const { app, issue, newest } = await behindHttps()
    const html = await (await issue({ client: 'claude-ai' })).text()
    const key = fullKeyIn(html)!
    expect(html).toContain(`https://keys.acme.com/mcp?api_key=${key}`)
    expect(html).toContain('Whoever sees this URL has the key.')
    expect(await newest()).toMatchObject({
      allowInUrl: true,
      expiresAt: new Date(app.ctx.now().getTime() + 90 * 86_400_000),
    })
  })

  it('opens a client where a link can, and never an address of our own with the key in it', async () => {
    const { issue } = await behindHttps()
    for (const client of CLIENT_NAMES) {
      const html = await (await issue({ client })).text()
      const links = [...html.matchAll(/<a class="button button-primary" href="([^"]*)" rel="noreferrer">/g)]
      const linked = ['vscode', 'vscode-insiders', 'cursor', 'lm-studio', 'goose', 'kiro', 'claude-ai']
      expect([client, links.length > 0]).toEqual([client, linked.includes(client)])
      expect(html).toContain('https://keys.acme.com/mcp')
      for (const [, href] of html.matchAll(/href="([^"]*)"/g)) expect(href).not.toMatch(/^https:\/\/keys\.acme\.com/)
    }
  })

  it('says all there is to say of a client, and offers no second key', async () => {
    for (const { issue } of [await world(), await behindHttps()])
      for (const client of ['claude-desktop', 'jetbrains', 'claude-ai', 'n8n']) {
        const html = await (await issue({ client })).text()
        expect(html).toContain('is issued, and filled in below')
        expect(html).not.toContain('class="connect-issue')
        expect(html).not.toContain('YOUR_API_KEY')
      }
  })

  it('knows no key, MCP or client of elsewhere', async () => {
    const { app, issue, names } = await world()
    const other = await createWorkspace(app.ctx, robot, null, 'Other')
    const { key } = await app.key({}, other.id)
    expect((await issue({ client: 'codex', key: key.id })).status).toBe(404)
    expect((await issue({ client: 'codex', mcp: 'nothing' })).status).toBe(404)
    expect((await issue({ client: 'emacs' })).status).toBe(404)
    expect(await names()).toEqual([])
  })

  it('shows names as text, whatever they are', async () => {
    const { app, caller, issue } = await world()
    const { key } = await app.key({ name: '"><script>$(id)</script>' }, app.workspace.id, caller)
    const html = await (await issue({ client: 'codex', key: key.id })).text()
    const page = await (
      await app.call('GET', `${PAGE}?key=${key.id}`, { cookie: await app.cookieOf(app.owner) })
    ).text()
    for (const text of [html, page]) expect(text).not.toContain('<script>$(id)')
  })
})

describe('the light', () => {
  const lightOf = (id: string) => `/admin/w/main/keys/${id}/first-call`
  const poll = (app: Started, cookie: string, path: string) =>
    app.call('GET', path, { cookie, headers: { 'hx-request': 'true' } })

  it('says nothing new while nobody comes, and turns green with the first call', async () => {
    const { app, cookie, issue, newest } = await world()
    await offering(app, 'fix', { live: await overHttp() })
    const key = fullKeyIn(await (await issue({ client: 'typescript' })).text())!
    const path = `${lightOf((await newest()).id)}?since=${app.ctx.now().getTime()}&state=waiting`
    expect((await poll(app, cookie, path)).status).toBe(204)
    app.advance(61_000)
    expect(await (await poll(app, cookie, path)).text()).toContain('Nobody has come yet')
    await (await connect(`${app.origin}/mcp`, key)).listTools()
    const seen = async () => (await poll(app, cookie, path)).text()
    await expect.poll(seen, { timeout: 10_000 }).toContain('test-client 1.2.3 is connected')
    expect(await seen()).toContain('Use every tool, prompt and resource of every MCP')
    expect(await seen()).not.toContain('hx-trigger')
  })

  it('is not lit after a rotation, where calls with the old secret could not be told from those with the new', async () => {
    const { app, cookie, caller } = await world()
    const { key } = await app.key({}, app.workspace.id, caller)
    const rotated = async (overlap_seconds: string) => {
      const form = { once: newOnce(app.ctx.now()), overlap_seconds }
      return (await app.call('POST', `/admin/w/main/keys/${key.id}/rotate`, { cookie, form })).text()
    }
    const pages = [await rotated('0'), await rotated('3600')]
    expect(pages[1]).toContain('says when the old one was last used')
    for (const page of pages) {
      expect(page).toContain('has a new secret')
      expect(page).not.toContain('class="signal')
    }
  })

  const nextOf = (html: string) => unescaped(/hx-get="([^"]*)" hx-trigger="every 2s"/.exec(html)?.[1] ?? '')

  it('stops asking after a quarter of an hour, says so, and asks again when told to', async () => {
    const { app, cookie, issue, newest } = await world()
    const next = nextOf(await (await issue({ client: 'codex' })).text())
    expect((await poll(app, cookie, next)).status).toBe(204)
    app.advance(15 * 60_000)
    const over = await (await poll(app, cookie, next)).text()
    expect(over).toContain('No longer looking')
    expect(over).not.toContain('Still waiting')
    expect(nextOf(over)).toBe('')
    const again = unescaped(/<a href="([^"]*)"[^>]*>Look again/.exec(over)![1]!)
    expect(again).toContain(`/keys/${(await newest()).id}/first-call`)
    expect(nextOf(await (await poll(app, cookie, again)).text())).not.toBe('')
  })

  it('says a refusal once, and the next one anew', async () => {
    const { app, cookie, issue, newest } = await world()
    const html = await (await issue({ client: 'typescript' })).text()
    const { id } = await newest()
    const refusedIn = async (path: string) => {
      await app.ctx.store.activity.write([refusal(app, id)])
      const piece = await (await poll(app, cookie, path)).text()
      expect(piece).toContain('was refused: mcp_not_permitted')
      return nextOf(piece)
    }
    const known = await refusedIn(nextOf(html))
    expect((await poll(app, cookie, known)).status).toBe(204)
    app.advance(1000)
    expect(await refusedIn(known)).not.toBe(known)
  })
})

/** What the form of a page sends without being asked. */
function hiddenIn(page: string): Record<string, string> {
  const fields = [...page.matchAll(/<input type="hidden" name="(key|picked|mcp)" value="([^"]*)">/g)]
  return Object.fromEntries(fields.map(([, name, value]) => [name!, value!]))
}

function refusal({ ctx, workspace }: Started, keyId: string): ActivityLine {
  return {
    ...{ workspaceId: workspace.id, at: ctx.now(), requestId: 'r', keyId, mcp: 'nothing', tool: null },
    ...{ method: 'initialize', environment: 'live', status: 403, latencyMs: 1, upstreamMs: null },
    ...{ ip: '203.0.113.7', client: 'codex 1', outcome: 'mcp_not_permitted' },
  }
}

function unescaped(html: string): string {
  return html.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}
