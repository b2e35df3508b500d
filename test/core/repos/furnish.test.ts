import { expect, it } from 'vitest'
import { addMcp } from '../../../src/core/mcps/edit.ts'
import { furnishOlder } from '../../../src/core/repos/furnish.ts'
import { createWorkspace } from '../../../src/core/workspaces/workspaces.ts'
import { operator, robot, start } from '../../support/start.ts'

const slugs = (mcps: { slug: string }[]) => mcps.map(({ slug }) => slug)

it('gives a new workspace the documentation server and the manual, with their lines in the audit', async () => {
  const { ctx } = await start()
  const { id } = await createWorkspace(ctx, robot, null, 'Team')
  expect(await ctx.store.mcps.list(id)).toMatchObject([
    { slug: 'docs', transport: 'builtin', targets: { live: { name: 'docs' }, test: { name: 'docs' } } },
  ])
  expect(await ctx.store.repos.list(id)).toMatchObject([
    { name: 'claviger', source: 'manual', environments: ['live', 'test'] },
  ])
  const { items } = await ctx.store.audit.list({ chain: id }, { limit: 9, cursor: null })
  expect(items.map(({ action }) => action)).toEqual(['repo.added', 'mcp.added', 'workspace.created'])
})

it('brings both to an older workspace, once', async () => {
  const { ctx, workspace } = await start()
  await furnishOlder(ctx)
  const [mcp] = await ctx.store.mcps.list(workspace.id)
  expect([mcp?.slug, (await ctx.store.repos.list(workspace.id)).length]).toEqual(['docs', 1])
  const entry = { chain: workspace.id, at: ctx.now(), actor: robot, before: null, after: null }
  const subject = { kind: 'mcp', id: mcp!.id, label: 'docs' }
  await ctx.store.mcps.remove(mcp!, { ...entry, action: 'mcp.removed', subject })
  await furnishOlder(ctx)
  expect(await ctx.store.mcps.list(workspace.id)).toEqual([])
})

it('leaves an MCP alone that is called docs already', async () => {
  const { ctx, workspace } = await start()
  const live = { kind: 'http', url: 'https://docs.example/mcp', headers: {} } as const
  await addMcp(ctx, operator, workspace.id, { slug: 'docs', live })
  await furnishOlder(ctx)
  const mcps = await ctx.store.mcps.list(workspace.id)
  expect([slugs(mcps), mcps[0]!.transport]).toEqual([['docs'], 'http'])
  expect((await ctx.store.repos.list(workspace.id)).map(({ name }) => name)).toEqual(['claviger'])
})

it('furnishes once, however many start at the same moment', async () => {
  const { ctx, workspace } = await start()
  await Promise.all([furnishOlder(ctx), furnishOlder(ctx), furnishOlder(ctx)])
  expect((await ctx.store.mcps.list(workspace.id)).length).toBe(1)
  expect((await ctx.store.repos.list(workspace.id)).length).toBe(1)
})
