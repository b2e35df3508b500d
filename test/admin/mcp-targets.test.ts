import { describe, expect, it } from 'vitest'
import type { Target } from '../../src/core/mcps/mcp.ts'
import { unsealTarget } from '../../src/core/mcps/sealing.ts'
import { offering } from '../support/mcp.ts'
import { start } from '../support/start.ts'

const TOKEN = 'Bearer very-secret-value'

async function withWiki() {
  const app = await start()
  const { cookie } = await app.person('admin')
  const url = 'https://wiki.example/mcp?apiKey=hidden-in-it'
  await offering(app, 'wiki', { live: { kind: 'http', url, headers: { Authorization: TOKEN } } })
  return reaching(app, 'wiki', cookie)
}

async function reaching(app: Awaited<ReturnType<typeof start>>, slug: string, cookie: string) {
  const path = `/admin/w/main/mcps/${slug}`
  const target = async (environment: 'live' | 'test'): Promise<Target | null> => {
    const mcp = (await app.ctx.store.mcps.list(app.workspace.id)).find((one) => one.slug === slug)
    const sealed = mcp!.targets[environment]
    return sealed && unsealTarget(app.ctx.secrets.sealing, sealed)
  }
  return {
    page: async () => (await app.call('GET', path, { cookie })).text(),
    save: (form: Record<string, string>) => app.call('POST', path, { cookie, form: { name: slug, ...form } }),
    target,
  }
}

const SHOWN = 'https://wiki.example/mcp?apiKey=…'

describe('the address of a server', () => {
  it('is changed on its page, and its headers stay', async () => {
    const { page, save, target } = await withWiki()
    const html = await page()
    expect(html).toContain(`value="${SHOWN}"`)
    expect(html).not.toMatch(/hidden-in-it|very-secret/)
    expect((await save({ url: 'https://wiki.example/v2/mcp', headers: '' })).status).toBe(303)
    expect(await target('live')).toEqual({
      kind: 'http',
      url: 'https://wiki.example/v2/mcp',
      headers: { Authorization: TOKEN },
    })
  })

  it('stays with all that it hides when it is sent back as it was shown', async () => {
    const { save, target } = await withWiki()
    await save({ url: SHOWN, headers: 'X-Team: blue', test_url: 'https://test.wiki.example/mcp' })
    expect(await target('live')).toMatchObject({
      url: 'https://wiki.example/mcp?apiKey=hidden-in-it',
      headers: { 'X-Team': 'blue' },
    })
    expect(await target('test')).toMatchObject({ url: 'https://test.wiki.example/mcp', headers: {} })
    await save({ url: SHOWN, headers_none: 'on', test_url: '' })
    expect(await target('live')).toMatchObject({ url: 'https://wiki.example/mcp?apiKey=hidden-in-it', headers: {} })
    expect(await target('test')).toBeNull()
  })

  it('does not carry the headers that are kept to another server', async () => {
    const { save, target } = await withWiki()
    const answer = await save({ url: 'https://elsewhere.example/mcp', headers: '' })
    expect(answer.status).toBe(422)
    expect(await answer.text()).toContain('This is another server')
    expect(await target('live')).toMatchObject({ headers: { Authorization: TOKEN } })
    expect((await save({ url: 'https://elsewhere.example/mcp', headers: 'X-Key: new' })).status).toBe(303)
    expect(await target('live')).toMatchObject({ url: 'https://elsewhere.example/mcp', headers: { 'X-Key': 'new' } })
  })

  it('is written in full or not at all', async () => {
    const { save } = await withWiki()
    const answer = await save({ url: 'https://wiki.example/v2?apiKey=…', headers: '' })
    expect([answer.status, (await answer.text()).includes('Write the address in full')]).toEqual([422, true])
  })
})

describe('the command of a server', () => {
  const files = async () => {
    const app = await start()
    const args = ['-y', 'a server', '--api-key', 'hidden-in-it']
    const env = { TOKEN: 'very-secret-value' }
    await offering(app, 'files', { live: { kind: 'stdio', command: 'npx', args, env, cwd: null } })
    const { cookie } = await app.person('admin', 'other@example.com')
    return {
      owner: await reaching(app, 'files', await app.cookieOf(app.owner)),
      admin: await reaching(app, 'files', cookie),
    }
  }
  const shown = 'npx -y "a server" --api-key …'

  it('is changed on its page, and its variables stay', async () => {
    const { owner } = await files()
    const html = await owner.page()
    expect(html).toContain('TOKEN')
    expect(html).not.toMatch(/hidden-in-it|very-secret/)
    expect(html).toContain('Each … stands for what is kept encrypted')
    await owner.save({ command: shown, cwd: '/srv', env: '', test_command: 'npx files', test_env: 'A=b' })
    expect(await owner.target('live')).toMatchObject({
      args: ['-y', 'a server', '--api-key', 'hidden-in-it'],
      cwd: '/srv',
      env: { TOKEN: 'very-secret-value' },
    })
    expect(await owner.target('test')).toMatchObject({ command: 'npx', args: ['files'], env: { A: 'b' } })
    expect((await owner.save({ command: 'npx other --api-key …', env: '' })).status).toBe(422)
  })

  it('is for the instance owner alone', async () => {
    const { owner, admin } = await files()
    expect((await admin.save({ command: 'rm -rf /', env: '' })).status).toBe(403)
    expect(await admin.page()).not.toContain('name="command"')
    expect(await owner.target('live')).toMatchObject({ command: 'npx' })
  })
})
