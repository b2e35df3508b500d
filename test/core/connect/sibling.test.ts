import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../src/core/caller.ts'
import type { ClientName } from '../../../src/core/connect/clients.ts'
import { freeNameFor, issueFor, nameFor, ownKeyFor } from '../../../src/core/connect/sibling.ts'
import { disable } from '../../../src/core/keys/lifecycle.ts'
import type { NewKey } from '../../../src/core/keys/wishes.ts'
import { start } from '../../support/start.ts'

const DAY_MS = 86_400_000
const OUTSIDE = 'https://keys.acme.com'

async function world() {
  const app = await start()
  const { caller } = await app.person('member', 'ana.member@example.com')
  const person = caller as Caller & { kind: 'person' }
  return {
    app,
    person,
    async sibling(
      client: ClientName,
      like: Partial<NewKey> | null,
      { slug = null as string | null, origin = OUTSIDE, picked = false } = {},
    ) {
      const model = like && (await app.key(like, app.workspace.id, caller)).key
      return (
        await issueFor(app.ctx, person, app.workspace.id, client, {
          like: model,
          picked,
          slug,
          origin,
          environment: 'live',
        })
      ).key
    },
  }
}

describe("a client's own key", () => {
  it('may do what the key may that it is like', async () => {
    const { app, sibling } = await world()
    const expiresAt = new Date(app.ctx.now().getTime() + 7 * DAY_MS)
    const powers: Partial<NewKey> = {
      environment: 'test',
      scopes: ['mcp:docs:*', 'usage:read'],
      mcpAccess: { mode: 'selected', mcps: [{ slug: 'docs', tools: ['search'] }] },
      ipAllow: ['10.0.0.0/8'],
      rateLimitPerMinute: 7,
      quotaPerDay: 9,
    }
    expect(await sibling('claude-code', { ...powers, expiresAt })).toMatchObject({
      ...powers,
      expiresAt,
      name: 'Claude Code, ana.member',
      allowInUrl: false,
    })
  })

  it('opens MCPs alone and ends, where it travels in a URL', async () => {
    const { app, sibling } = await world()
    const soon = new Date(app.ctx.now().getTime() + DAY_MS)
    const in90Days = new Date(app.ctx.now().getTime() + 90 * DAY_MS)
    const narrowed = { type: 'restricted', scopes: ['mcp:docs:*'], allowInUrl: true }
    expect(await sibling('claude-ai', { scopes: ['keys:write', 'mcp:docs:*'] })).toMatchObject({
      ...narrowed,
      expiresAt: in90Days,
    })
    expect(await sibling('chatgpt', { scopes: ['mcp:docs:*'], expiresAt: soon })).toMatchObject({
      ...narrowed,
      expiresAt: soon,
    })
    expect(await sibling('claude-ai', { type: 'unrestricted' })).toMatchObject({
      type: 'restricted',
      scopes: ['mcp:*'],
    })
    await expect(sibling('claude-ai', { scopes: ['keys:read'] })).rejects.toThrow('That key opens no MCP')
  })

  it('stays out of URLs where Claude Desktop could not come anyway', async () => {
    const { sibling } = await world()
    expect(await sibling('claude-desktop', null)).toMatchObject({ allowInUrl: true })
    expect(await sibling('claude-desktop', null, { origin: 'http://127.0.0.1:8484' })).toMatchObject({
      allowInUrl: false,
    })
    expect(await sibling('claude-ai', null, { origin: 'http://127.0.0.1:8484' })).toMatchObject({ allowInUrl: true })
  })

  it('opens everything, or one MCP, where there is no other key yet', async () => {
    const { sibling } = await world()
    expect(await sibling('codex', null)).toMatchObject({ scopes: ['mcp:*'], mcpAccess: { mode: 'all' } })
    expect(await sibling('codex', null, { slug: 'docs' })).toMatchObject({
      mcpAccess: { mode: 'selected', mcps: [{ slug: 'docs', tools: null }] },
    })
  })

  it('manages nothing if nobody has named the key that it is like', async () => {
    const { sibling } = await world()
    const likeOf = async (like: Partial<NewKey>) => sibling('codex', like, { picked: true })
    expect(await likeOf({ scopes: ['mcp:docs:*', 'keys:write'] })).toMatchObject({ scopes: ['mcp:docs:*'] })
    expect(await likeOf({ type: 'unrestricted' })).toMatchObject({ type: 'restricted', scopes: ['mcp:*'] })
  })

  it('has a name that no other key has', async () => {
    const { app, person, sibling } = await world()
    await app.key({ name: 'Codex, ana.member 2' })
    const names = [(await sibling('codex', null)).name, (await sibling('codex', null)).name]
    expect(names).toEqual(['Codex, ana.member', 'Codex, ana.member 3'])
    expect(await freeNameFor(app.ctx, app.workspace.id, 'codex', person.user.name)).toBe('Codex, ana.member 4')
  })

  it('is not made after one that no longer works', async () => {
    const { app, person } = await world()
    const { key } = await app.key({}, app.workspace.id, person)
    const off = await disable(app.ctx, person, app.workspace.id, key.id)
    const model = { like: off, slug: null, origin: OUTSIDE, environment: 'live' as const }
    await expect(issueFor(app.ctx, person, app.workspace.id, 'codex', model)).rejects.toThrow('That key is disabled')
  })

  it('has a name that fits, whoever it is for', () => {
    expect(nameFor('claude-code', 'Ana')).toBe('Claude Code, Ana')
    for (const number of [1, 12]) expect([...nameFor('cursor', '🔑'.repeat(200), number)]).toHaveLength(100)
  })
})

describe('the key that the helper picks', () => {
  it("is the visitor's own, works, and opens what is asked for", async () => {
    const { app, person } = await world()
    const own = (wanted: Partial<NewKey>) => app.key(wanted, app.workspace.id, person)
    const picked = async (slug: string | null) =>
      (await ownKeyFor(app.ctx, person, app.workspace.id, { slug, environment: 'live' }))?.name ?? null
    await app.key({ name: 'of somebody else' })
    expect(await picked(null)).toBeNull()
    await own({ name: 'docs', scopes: ['mcp:docs:*'] })
    await own({ name: 'manages', scopes: ['keys:read'] })
    await own({ name: 'test', environment: 'test' })
    const { key } = await own({ name: 'off' })
    await disable(app.ctx, person, app.workspace.id, key.id)
    expect([await picked(null), await picked('docs'), await picked('wiki')]).toEqual(['docs', 'docs', null])
  })
})
