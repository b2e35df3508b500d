import { describe, expect, it } from 'vitest'
import { setupLinkIsGood } from '../../src/core/workspaces/setup.ts'
import { finished, launch, serving } from '../support/process.ts'
import { PASSWORD, refused, terminal } from './terminal.ts'

describe('a headless start', () => {
  it('makes the owner from the environment and a file, once', async () => {
    const { dataDir, json, file } = terminal()
    const env = {
      CLAVIGER_OWNER_EMAIL: 'ana@example.com',
      CLAVIGER_OWNER_PASSWORD_FILE: file('password', `${PASSWORD}\n`),
    }
    const first = await serving(dataDir, env)
    expect((await fetch(`${first.origin}/api/v1/whoami`)).status).toBe(401) // 503 before the set-up
    const said = await first.stop()
    expect(said).toMatchObject({ code: 0, err: '', out: expect.stringContaining('The owner was created') })
    expect(said.out).not.toContain(PASSWORD)

    const again = await serving(dataDir, { ...env, CLAVIGER_OWNER_EMAIL: 'eve@example.com' })
    expect(await json('users', 'list')).toMatchObject([
      { email: 'ana@example.com', instance_owner: true, memberships: [{ workspace: 'main', role: 'owner' }] },
    ])
    expect(await again.stop()).toMatchObject({ code: 0, err: '' })
  })

  it('ends with a sentence when there is no password, or a weak one', async () => {
    const { dataDir, file } = terminal()
    const start = (env: Record<string, string>) =>
      finished(launch(dataDir, ['serve', '--port', '0'], { CLAVIGER_OWNER_EMAIL: 'ana@example.com', ...env }))
    expect(await start({})).toMatchObject({ code: 1, err: expect.stringContaining('CLAVIGER_OWNER_PASSWORD_FILE') })
    const weak = await start({ CLAVIGER_OWNER_PASSWORD_FILE: file('password', 'short') })
    expect(weak).toMatchObject({ code: 2, err: expect.stringContaining('at least 12 characters') })
  })
})

describe('a first start', () => {
  it('prints the setup link to stderr and keeps it out of the log', async () => {
    const { dataDir, inside } = terminal()
    const { origin, stop } = await serving(dataDir)
    const { out, err } = await stop()
    const link = /(http:\S+)\/admin\/setup\/(\S+)/.exec(err)!
    expect(link[1]).toBe(origin)
    expect(out).not.toContain(link[2])
    expect(await inside((ctx) => setupLinkIsGood(ctx, link[2]!))).toBe(true)
  })

  it('stays not_set_up until `users create --owner`', async () => {
    const { dataDir, user } = terminal()
    const { origin } = await serving(dataDir)
    const status = async () => (await fetch(`${origin}/api/v1/whoami`)).status
    expect(await status()).toBe(503)
    expect(await user('ana@example.com', '--owner')).toMatchObject({ code: 0 })
    expect(await status()).toBe(401)
  })
})

describe('setup-url', () => {
  it('prints a new link, which ends the one before', async () => {
    const { json, good, inside } = terminal()
    const tokenIn = (url: string) => /\/admin\/setup\/(clv_setup_[0-9a-f]{64})/.exec(url)![1]!
    const first = await good('setup-url', '--port', '9000')
    expect(first).toMatch(/^http:\/\/127\.0\.0\.1:9000\/admin\/setup\/\S+\n$/)
    const { url, valid_minutes } = await json('setup-url', '--public-url', 'https://keys.example.com')
    expect(url).toMatch(/^https:\/\/keys\.example\.com\/admin\/setup\//)
    expect(valid_minutes).toBe(30)
    expect(await inside((ctx) => setupLinkIsGood(ctx, tokenIn(first)))).toBe(false)
    expect(await inside((ctx) => setupLinkIsGood(ctx, tokenIn(url)))).toBe(true)
  })

  it('refuses once there is an owner', async () => {
    const { user, claviger } = terminal()
    await user('ana@example.com', '--owner')
    expect(await claviger('setup-url')).toEqual(refused(1, 'users reset-password'))
  })
})

describe('healthcheck', () => {
  it('is 0 while the server is ready, and 1 with a sentence when not', async () => {
    const { dataDir, claviger } = terminal()
    const { origin, stop } = await serving(dataDir)
    const { port } = new URL(origin)
    expect(await claviger('healthcheck', '--port', port)).toEqual({ code: 0, out: '', err: '' })
    expect(await claviger('healthcheck', '--url', `${origin}/nowhere`)).toEqual(refused(1, 'answers'))
    await stop()
    expect(await claviger('healthcheck', '--port', port)).toEqual(refused(1, 'does not answer'))
  })
})
