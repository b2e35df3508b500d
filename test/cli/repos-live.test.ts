import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { start } from '../support/start.ts'
import { folder, terminal } from './terminal.ts'

it('adds and removes repos beside a server, which obeys at once', async () => {
  const root = realpathSync(folder())
  mkdirSync(join(root, 'handbook'))
  writeFileSync(join(root, 'handbook', 'tea.md'), '# Tea\n\nThe samovar boils at four.\n')
  const env = { CLAVIGER_DOCS_ROOTS: root }
  const shell = terminal()
  await shell.user('ana@example.com', '--owner')
  const app = await start({ dataDir: shell.dataDir, setUp: false, env })
  const { key } = await shell.json('keys', 'create', '--name', 'x', '--scope', 'mcp:*', '--scope', 'repo:read')
  const body = { mcp_id: 'docs', tool: 'search', arguments: { query: 'samovar' } }
  const found = async () => (await jsonOf(app.post('/mcp', body, key))).result.structuredContent.results

  expect(await found()).toEqual([])
  await shell.type(['repos', 'add', 'handbook', join(root, 'handbook')], { env })
  await jsonOf(app.post('/api/v1/repos/handbook/refresh', {}, key))
  expect(await found()).toMatchObject([{ repo: 'handbook', path: 'tea.md' }])
  expect(await shell.json('repos', 'list')).toMatchObject([
    { name: 'claviger' },
    { name: 'handbook', documents: 1, sections: 1, indexing: null, failure: null, skipped_count: 0 },
  ])
  expect(await shell.good('repos', 'list')).toMatch(/handbook .* live +1 +read /)
  await shell.good('repos', 'remove', 'handbook', '--yes')
  expect(await found()).toEqual([])
})
