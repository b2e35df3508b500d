import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { folder, refused, terminal } from './terminal.ts'

async function lab() {
  const shell = terminal()
  await shell.user('ana@example.com', '--owner')
  const root = realpathSync(folder())
  mkdirSync(join(root, 'handbook'))
  writeFileSync(join(root, 'notes.md'), '# Notes')
  const claviger = (...argv: string[]) => shell.type(['repos', ...argv], { env: { CLAVIGER_DOCS_ROOTS: root } })
  return { shell, root, claviger }
}

it('adds a folder for the environments that are named', async () => {
  const { shell, root, claviger } = await lab()
  expect(await claviger('add', 'handbook', join(root, 'handbook'), '--env', 'test,live')).toMatchObject({ code: 0 })
  expect(await shell.json('repos', 'list')).toMatchObject([
    { name: 'claviger', source: 'manual', path: null, environments: ['live', 'test'] },
    { name: 'handbook', source: 'folder', path: join(root, 'handbook'), environments: ['live', 'test'] },
  ])
  expect(await shell.good('repos', 'list')).toMatch(/handbook +folder +\/.+\/handbook +live,test +0 +not read yet/)
  expect(await shell.json('audit', 'list', '--limit', '1')).toMatchObject([
    { action: 'repo.added', after: { name: 'handbook', source: 'folder' } },
  ])
})

it('refuses what lies elsewhere, is missing or is no folder, all alike', async () => {
  const { root, claviger } = await lab()
  for (const path of [folder(), join(root, 'missing'), join(root, 'notes.md'), join(root, '..')])
    expect(await claviger('add', 'x', path)).toEqual(refused(2, `is no folder inside ${root}`))
})

it('says how to name the folders that may be read', async () => {
  const { shell, root } = await lab()
  expect(await shell.claviger('repos', 'add', 'x', root)).toEqual(refused(2, 'Set CLAVIGER_DOCS_ROOTS'))
})

it('refuses a name that is taken or that no address could hold', async () => {
  const { claviger } = await lab()
  expect(await claviger('add', 'claviger')).toEqual(refused(1, 'a repo called claviger already'))
  expect(await claviger('add', 'Hand book')).toEqual(refused(2, '1 to 64 of a-z'))
  expect(await claviger('add', 'x', '--env', 'prod')).toEqual(refused(2, 'Give live, test or live,test.'))
})

it('removes a repo when asked twice, and brings the manual back', async () => {
  const { shell, claviger } = await lab()
  expect(await claviger('remove', 'claviger')).toEqual(refused(1, 'Repeat with --yes'))
  await shell.good('repos', 'remove', 'claviger', '--yes')
  expect(await shell.json('repos', 'list')).toEqual([])
  expect(await shell.json('repos', 'add', 'manual', '--manual')).toMatchObject({
    source: 'manual',
    environments: ['live', 'test'],
  })
})

it('brings the documentation server back under any slug', async () => {
  const { shell } = await lab()
  await shell.good('mcps', 'remove', 'docs', '--yes')
  expect(await shell.json('mcps', 'add', 'library', '--builtin', '--for', 'live')).toMatchObject({
    slug: 'library',
    transport: 'builtin',
    live: { builtin: 'docs' },
    test: null,
  })
})
