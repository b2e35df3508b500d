import { describe, expect, it } from 'vitest'
import type { Context } from '../../../src/core/context.ts'
import { checkAccess } from '../../../src/core/keys/access.ts'
import { issue } from '../../../src/core/keys/issuing.ts'
import { checkKey } from '../../../src/core/keys/reading.ts'
import { keyRing } from '../../../src/core/keys/ring.ts'
import type { Store } from '../../../src/core/store.ts'
import { operator, start } from '../../support/start.ts'

function withKeys(ctx: Context, keys: Partial<Store['keys']>): Context {
  return { ...ctx, store: { ...ctx.store, keys: { ...ctx.store.keys, ...keys } } }
}

describe('when the store cannot do what it is asked', () => {
  it('shows no key that was not stored', async () => {
    const { ctx, workspace } = await start()
    const full = withKeys(ctx, { add: async () => false })
    await expect(issue(full, operator, workspace.id, { name: 'x' })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('judges no key that it cannot read', async () => {
    const { ctx, workspace, key } = await start()
    const { fullKey } = await key()
    const broken = withKeys(ctx, { byId: () => Promise.reject(new Error('disk')) })
    await expect(checkKey(broken, keyRing(ctx), operator, workspace.id, fullKey, {})).rejects.toThrow('disk')
  })
})

it.each([[''], ['x'.repeat(257)]])('takes no tool of the name %j', (tool) => {
  const access = { mode: 'selected' as const, mcps: [{ slug: 'docs', tools: [tool] }] }
  expect(() => checkAccess(access)).toThrow('has a name of 1 to 256 characters')
})
