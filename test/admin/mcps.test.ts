import { describe, expect, it } from 'vitest'
import { offering, overStdio } from '../support/mcp.ts'
import { start } from '../support/start.ts'

async function admin() {
  const app = await start()
  const { cookie } = await app.person('admin')
  const owner = await app.cookieOf(app.owner)
  const page = '/admin/w/main/mcps'
  return { app, cookie, owner, page }
}

describe('adding a server', () => {
  it('keeps the headers sealed and shows their names alone', async () => {
    const { app, cookie, page } = await admin()
    const form = { slug: 'wiki', url: 'https://wiki.example/mcp', headers: 'Authorization: Bearer very-secret-value' }
    expect((await app.call('POST', page, { cookie, form })).headers.get('location')).toBe(`${page}/wiki`)
    const html = await (await app.call('GET', `${page}/wiki`, { cookie })).text()
    expect(html).toContain('Authorization')
    expect(html).not.toContain('very-secret-value')
    const [mcp] = await app.ctx.store.mcps.list(app.workspace.id)
    expect(JSON.stringify(mcp)).not.toContain('very-secret-value')
  })

  it('comes back with what was typed and what was wrong, but no secret', async () => {
    const { app, cookie, page } = await admin()
    const form = {
      slug: 'Not A Slug',
      url: 'https://wiki.example/mcp',
      headers: 'Authorization: Bearer very-secret-value',
    }
    const answer = await app.call('POST', page, { cookie, form })
    const html = await answer.text()
    expect(answer.status).toBe(422)
    expect(html).toContain('A slug is 1 to 32')
    expect(html).toContain('https://wiki.example/mcp')
    expect(html).not.toContain('very-secret-value')
  })

  it('by a command is for the instance owner alone', async () => {
    const { app, cookie, owner, page } = await admin()
    const form = { slug: 'files', transport: 'stdio', command: 'npx -y "a server" /srv' }
    expect((await app.call('POST', page, { cookie, form })).status).toBe(403)
    expect((await app.call('POST', page, { cookie: owner, form })).status).toBe(303)
    const [mcp] = await app.ctx.store.mcps.list(app.workspace.id)
    expect(mcp!.targets.live).toMatchObject({ command: 'npx', args: ['-y', 'a server', '/srv'] })
  })

  it('brings a file of a client, and says what it could not bring', async () => {
    const { app, owner, page } = await admin()
    const config = JSON.stringify({
      mcpServers: {
        'My Wiki': { url: 'https://wiki.example/mcp', headers: { 'X-Key': 'hidden-token' } },
        files: { command: 'npx', args: ['-y', 'files'], env: { A: 'b' } },
        broken: {},
      },
    })
    const answer = await app.call('POST', `${page}/import`, { cookie: owner, form: { config } })
    const html = await answer.text()
    expect(answer.status).toBe(422)
    expect(html).toContain('broken has neither')
    expect(html).not.toContain('hidden-token')
    const mcps = await app.ctx.store.mcps.list(app.workspace.id)
    expect(mcps.map(({ slug, transport }) => [slug, transport])).toEqual([
      ['files', 'stdio'],
      ['my-wiki', 'http'],
    ])
  })
})

it('asks a server for its tools, and says why one cannot be asked', async () => {
  const { app, owner, page } = await admin()
  await offering(app, 'fix', { live: overStdio() })
  await offering(app, 'gone', { live: { ...overStdio(), command: 'no-such-command' } })
  for (const slug of ['fix', 'gone']) await app.call('POST', `${page}/${slug}/refresh`, { cookie: owner, form: {} })
  expect(await (await app.call('GET', `${page}/fix`, { cookie: owner })).text()).toContain('test_simple_text')
  expect(await (await app.call('GET', `${page}/gone`, { cookie: owner })).text()).toContain(
    'no command no-such-command',
  )
  expect(await (await app.call('GET', page, { cookie: owner })).text()).toContain('unreachable')
})

it('removes a server after a second page', async () => {
  const { app, cookie, page } = await admin()
  await app.call('POST', page, { cookie, form: { slug: 'wiki', url: 'https://wiki.example/mcp' } })
  expect(await (await app.call('GET', `${page}/wiki/remove`, { cookie })).text()).toContain('Remove the server')
  await app.call('POST', `${page}/wiki/remove`, { cookie, form: {} })
  expect((await app.call('GET', `${page}/wiki`, { cookie })).status).toBe(404)
})
