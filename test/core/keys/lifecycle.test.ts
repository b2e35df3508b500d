import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../src/core/caller.ts'
import { issue } from '../../../src/core/keys/issuing.ts'
import { type Key, stateOf } from '../../../src/core/keys/key.ts'
import { disable, edit, enable, removeKey, revoke } from '../../../src/core/keys/lifecycle.ts'
import { operator, robot, start } from '../../support/start.ts'
import { aKey, aWorkspace, later, NOW } from '../../support/store.ts'

describe('the state of a key', () => {
  const states = ['revoked', 'disabled', 'expired', 'scheduled', 'active'] as const
  const makes: Record<(typeof states)[number], Partial<Key>> = {
    revoked: { revokedAt: later(-1) },
    disabled: { disabledAt: later(-1) },
    expired: { expiresAt: NOW },
    scheduled: { notBefore: later(1) },
    active: {},
  }

  it('is the strongest that holds', () => {
    for (let mask = 0; mask < 16; mask++) {
      const held = states.filter((_, i) => mask & (1 << i))
      const { key } = aKey(aWorkspace(), Object.assign({}, ...held.map((state) => makes[state])))
      expect([held, stateOf(key, NOW)]).toEqual([held, held[0] ?? 'active'])
    }
  })

  it('changes on the very millisecond', () => {
    const { key } = aKey(aWorkspace(), { notBefore: later(10), expiresAt: later(20) })
    expect([9, 10, 19, 20].map((ms) => stateOf(key, later(ms)))).toEqual(['scheduled', 'active', 'active', 'expired'])
  })
})

describe('changes at the same moment', () => {
  it.each([0, 1, 2, 3, 4, 5])('leave a revoked key revoked (%i)', async (seed) => {
    const { ctx, workspace, key: add } = await start()
    const { key } = await add()
    const acts = [
      () => revoke(ctx, operator, workspace.id, key.id, 'leaked'),
      () => disable(ctx, operator, workspace.id, key.id),
      () => enable(ctx, operator, workspace.id, key.id),
      () => edit(ctx, operator, workspace.id, key.id, { name: 'new' }),
      () => disable(ctx, operator, workspace.id, key.id),
      () => edit(ctx, operator, workspace.id, key.id, { expiresAt: null, description: 'late' }),
    ]
    const order = [...acts.slice(seed), ...acts.slice(0, seed)]
    const outcomes = await Promise.allSettled(order.map((act) => act()))
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' })
    const after = (await ctx.store.keys.byId(workspace.id, key.id))!
    expect(after).toMatchObject({ revokedReason: 'leaked' })
    expect(stateOf(after, ctx.now())).toBe('revoked')
    const { items } = await ctx.store.audit.list(
      { chain: workspace.id, subjectId: key.id },
      { limit: 50, cursor: null },
    )
    expect(items.filter(({ action }) => action === 'key.revoked')).toHaveLength(1)
    expect(items).toHaveLength(after.revision) // one line for each change that happened, and for the beginning
  })

  it('lose nothing of each other', async () => {
    const { ctx, workspace, key: add } = await start()
    const { key } = await add()
    await Promise.all([
      edit(ctx, operator, workspace.id, key.id, { name: 'new' }),
      edit(ctx, operator, workspace.id, key.id, { description: 'what for' }),
      disable(ctx, operator, workspace.id, key.id),
      edit(ctx, operator, workspace.id, key.id, { quotaPerDay: 5 }),
    ])
    expect(await ctx.store.keys.byId(workspace.id, key.id)).toMatchObject({
      name: 'new',
      description: 'what for',
      quotaPerDay: 5,
      revision: 5,
      disabledAt: ctx.now(),
    })
  })

  it('let one of two win who have read the same', async () => {
    const { ctx, workspace, key: add } = await start()
    const { key } = await add()
    const both = await Promise.allSettled(
      ['a', 'b'].map((name) => edit(ctx, operator, workspace.id, key.id, { name }, 1)),
    )
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find((one) => one.status === 'rejected')).toMatchObject({ reason: { code: 'precondition_failed' } })
  })

  it('end with a key that is gone, once it is deleted', async () => {
    const { ctx, workspace, key: add } = await start()
    const { key } = await add()
    const outcomes = await Promise.allSettled([
      removeKey(ctx, operator, workspace.id, key.id, { confirmed: true }),
      revoke(ctx, operator, workspace.id, key.id, null),
      removeKey(ctx, operator, workspace.id, key.id, { confirmed: true }),
    ])
    expect(await ctx.store.keys.byId(workspace.id, key.id)).toBeNull()
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'not_found' })
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(3)
  })
})

it('issues no key for somebody who has left meanwhile', async () => {
  const { ctx, workspace, person } = await start()
  const { user, caller } = await person('member')
  await ctx.store.members.remove(workspace.id, user.id, 'member', null, ctx.now(), () => [])
  await expect(issue(ctx, caller, workspace.id, { name: 'late' })).rejects.toMatchObject({ code: 'forbidden' })
})

it('keeps no secret in the audit', async () => {
  const { ctx, workspace, key: add } = await start()
  const { key, fullKey } = await add()
  await edit(ctx, operator, workspace.id, key.id, { name: 'new' })
  await removeKey(ctx, operator, workspace.id, key.id, { confirmed: true })
  const lines: unknown[] = []
  for await (const line of ctx.store.audit.lines(workspace.id)) lines.push(line)
  const text = JSON.stringify(lines)
  expect(text).toContain(key.hint)
  for (const secret of [fullKey.slice(20, 40), 'hash"'])
    expect(text.replaceAll(/"hash":"[0-9a-f]{64}"/g, '')).not.toContain(secret)
})

describe('a program', () => {
  async function programmed(more: Parameters<Awaited<ReturnType<typeof start>>['key']>[0] = {}) {
    const started = await start()
    const { key } = await started.key({
      scopes: ['mcp:docs:*', 'keys:write', 'keys:read'],
      rateLimitPerMinute: 50,
      ...more,
    })
    const caller: Caller = { kind: 'program', actor: { ...robot, kind: 'key', id: key.id }, key, role: 'owner' }
    return { ...started, parent: key, caller }
  }

  it('hands down what is left out', async () => {
    const bounds = {
      ipAllow: ['10.0.0.0/8'],
      quotaPerDay: 5,
      expiresAt: new Date('2026-07-01'),
      mcpAccess: { mode: 'selected', mcps: [{ slug: 'docs', tools: null }] },
    } as const
    const { ctx, workspace, caller } = await programmed({
      ...bounds,
      ipAllow: [...bounds.ipAllow],
      mcpAccess: { mode: 'selected', mcps: [{ slug: 'docs', tools: null }] },
      environment: 'test',
    })
    const { key } = await issue(ctx, caller, workspace.id, { name: 'child' })
    expect(key).toMatchObject({
      ...bounds,
      environment: 'test',
      type: 'restricted',
      scopes: ['mcp:docs:*'],
      rateLimitPerMinute: 50,
      allowInUrl: false,
    })
  })

  it('neither makes, changes, nor frees a key beyond itself', async () => {
    const { ctx, workspace, caller, key: add, parent } = await programmed()
    const { key: wider } = await add({ scopes: ['mcp:*'] })
    const { key: within } = await add({ scopes: ['mcp:docs:search'], rateLimitPerMinute: 10 })
    const refused = { code: 'forbidden' }
    await expect(issue(ctx, caller, workspace.id, { name: 'x', scopes: ['mcp:*'] })).rejects.toMatchObject(refused)
    for (const act of [disable, enable] as const)
      await expect(act(ctx, caller, workspace.id, wider.id)).rejects.toMatchObject(refused)
    await expect(revoke(ctx, caller, workspace.id, wider.id, null)).rejects.toMatchObject(refused)
    await expect(edit(ctx, caller, workspace.id, within.id, { rateLimitPerMinute: 51 })).rejects.toMatchObject(refused)
    await expect(edit(ctx, caller, workspace.id, within.id, { scopes: ['mcp:*'] })).rejects.toMatchObject(refused)
    await expect(edit(ctx, caller, workspace.id, parent.id, { rateLimitPerMinute: 51 })).rejects.toMatchObject(refused)
    expect((await edit(ctx, caller, workspace.id, within.id, { rateLimitPerMinute: 50 })).rateLimitPerMinute).toBe(50)
  })

  it('sees nothing of the other environment', async () => {
    const { ctx, workspace, caller, key: add } = await programmed()
    const { key: other } = await add({ environment: 'test' })
    await expect(revoke(ctx, caller, workspace.id, other.id, null)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('does nothing once its owner has left, or may no longer', async () => {
    const { ctx, workspace, caller } = await programmed()
    for (const role of [null, 'viewer'] as const)
      await expect(issue(ctx, { ...caller, role } as Caller, workspace.id, { name: 'x' })).rejects.toMatchObject({
        code: 'forbidden',
      })
  })
})
