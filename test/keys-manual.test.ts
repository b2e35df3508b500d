import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROUTES } from '../src/api/routes.ts'
import { SCOPE_FOR } from '../src/core/caller.ts'
import { MANAGEMENT_SCOPES } from '../src/core/keys/scopes.ts'
import { furnitureFor } from '../src/core/repos/furnish.ts'
import { modern, said } from './support/mcp.ts'
import { robot, start } from './support/start.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/keys.md'), 'utf8')

it('names only tools of the server docs that it has', async () => {
  const { ctx, workspace, key, call } = await start()
  await ctx.store.workspaces.furnish(workspace.id, furnitureFor(ctx, robot, workspace.id))
  const { fullKey } = await key()
  const { result } = await said(await call('POST', '/mcp/docs', { key: fullKey, ...modern('tools/list') }))
  const tools = (result!.tools as { name: string }[]).map(({ name }) => name)
  const named = [...page.matchAll(/\bdocs:([a-z_]+(?:,(?!mcp:)[a-z_]+)*)/g)].flatMap(([, tools]) => tools!.split(','))
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((name) => !tools.includes(name))).toEqual([])
})

it('says of each management scope whether it opens anything', () => {
  const opened = new Set(
    ROUTES.map(
      ({
        endpoint: {
          operation: { power },
        },
      }) => power && SCOPE_FOR[power],
    ),
  )
  const rows = Object.fromEntries(
    [...page.matchAll(/^\| (`[^|]+) \| ([^|]+) \|$/gm)].flatMap(([, scopes, about]) =>
      [...scopes!.matchAll(/`([^`]+)`/g)].map(([, scope]) => [scope!, !about!.includes('opens nothing')]),
    ),
  )
  for (const scope of Object.keys(MANAGEMENT_SCOPES) as (keyof typeof MANAGEMENT_SCOPES)[])
    expect([scope, rows[scope]]).toEqual([scope, opened.has(scope)])
})
