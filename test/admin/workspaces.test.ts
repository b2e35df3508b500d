import { describe, expect, it } from 'vitest'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { robot, start } from '../support/start.ts'
import { cookieIn } from './forms.ts'

async function ana() {
  const started = await start()
  const cookie = await started.cookieOf(started.owner)
  return {
    ...started,
    cookie,
    page: (path: string, more = '') => started.call('GET', path, { cookie: cookie + more }),
    send: (path: string, form: Record<string, string> = {}) => started.call('POST', path, { cookie, form }),
  }
}

it('leads to the workspace somebody was in last', async () => {
  const { page, ctx, owner } = await ana()
  await createWorkspace(ctx, robot, owner, 'Second')
  expect((await page('/admin')).headers.get('location')).toBe('/admin/w/main/keys')
  const visited = cookieIn(await page('/admin/w/second/members'), 'claviger_workspace')
  expect(visited).toBe('claviger_workspace=second')
  for (const at of ['keys', 'members', 'settings'])
    expect((await page(`/admin/${at}`, `; ${visited}`)).headers.get('location')).toBe(`/admin/w/second/${at}`)
  expect((await page('/admin', '; claviger_workspace=gone')).headers.get('location')).toBe('/admin/w/main/keys')
})

it('keeps the workspaces of one person a link apart', async () => {
  const { page, ctx, owner } = await ana()
  await createWorkspace(ctx, robot, owner, 'Second')
  const html = await (await page('/admin/w/second/keys')).text()
  expect(html).toContain('href="/admin/w/main"')
  expect(html).toMatch(/href="\/admin\/w\/second" aria-current="true"/)
})

it('is made by the instance owner, who is its owner', async () => {
  const { send, page } = await ana()
  const made = await send('/admin/workspaces/new', { workspace: 'Éditions & Co' })
  expect(made.headers.get('location')).toBe('/admin/w/editions-co/keys')
  expect(await (await page('/admin/w/editions-co/keys')).text()).toContain('Éditions &amp; Co')
  const wrong = await send('/admin/workspaces/new', { workspace: '' })
  expect(wrong.status).toBe(422)
  expect(await wrong.text()).toContain('id="field-workspace-error"')
})

it('gives the instance owner no power where they are no member', async () => {
  const { page, send, ctx, person } = await ana()
  const ben = await person(null, 'ben@example.com')
  await createWorkspace(ctx, robot, ben.user, 'Bens')
  expect((await page('/admin/w/bens/keys')).status).toBe(404)
  expect((await send('/admin/w/bens/delete', { confirm: 'bens' })).status).toBe(404)
})

it('does not tell a workspace of others from none', async () => {
  const { call, ctx, person } = await ana()
  const ben = await person(null, 'ben@example.com')
  await createWorkspace(ctx, robot, null, 'Theirs')
  const plain = async (slug: string) => {
    const answer = await call('GET', `/admin/w/${slug}/keys`, { cookie: ben.cookie })
    return [answer.status, (await answer.text()).replace(/req_\w+/g, '').replaceAll(slug, '')]
  }
  expect(await plain('theirs')).toEqual(await plain('nowhere'))
})

describe('settings', () => {
  it('rename the workspace', async () => {
    const { send, page } = await ana()
    expect((await send('/admin/w/main/settings', { workspace: 'Headquarters' })).status).toBe(303)
    expect(await (await page('/admin/w/main/settings')).text()).toContain('value="Headquarters"')
    expect((await send('/admin/w/main/settings', { workspace: 'x'.repeat(101) })).status).toBe(422)
  })

  it('show those who may change nothing no forms', async () => {
    const { call, person } = await ana()
    const { cookie } = await person('viewer')
    const html = await (await call('GET', '/admin/w/main/settings', { cookie })).text()
    expect(html).not.toContain('action="/admin/w/main/settings"')
    expect(html).not.toContain('/admin/w/main/delete')
    expect(html).toContain('/admin/w/main/leave')
  })

  it('delete the workspace with its keys once its slug is typed', async () => {
    const { send, page, key, get, call, ctx } = await ana()
    const { fullKey } = await key()
    const wrong = await send('/admin/w/main/delete', { confirm: 'Main' })
    expect(wrong.status).toBe(422)
    expect(await wrong.text()).toContain('id="field-confirm-error"')
    expect((await send('/admin/w/main/delete', { confirm: 'main' })).headers.get('location')).toBe('/admin')
    expect(await (await get('/api/v1/whoami', fullKey)).json()).toMatchObject({ code: 'unknown_key' })
    expect((await page('/admin/w/main/keys')).status).toBe(404)
    expect((await call('GET', '/healthz')).status).toBe(200)
    expect(await ctx.store.workspaces.list()).toEqual([])
  })
})
