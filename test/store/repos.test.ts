import { expect, it } from 'vitest'
import { aRepo, aWorkspace, entryOf, furnished, storeIn } from '../support/store.ts'

async function shelves() {
  const store = storeIn()
  const { workspace } = await furnished(store)
  const repo = aRepo(workspace)
  const entry = entryOf('repo.added', workspace.id, repo.id)
  await store.repos.add(repo, entry)
  return { store, workspace, repo, entry }
}

it('comes back as it was put in, by name', async () => {
  const { store, workspace, repo, entry } = await shelves()
  const notes = aRepo(workspace, { name: 'a', source: 'files', path: null, environments: ['live', 'test'] })
  await store.repos.add(notes, entry)
  expect(await store.repos.list(workspace.id)).toEqual([notes, repo])
  expect(await store.repos.list('nowhere')).toEqual([])
})

it('has a name of its own in its workspace, and may share it with another', async () => {
  const { store, workspace, repo, entry } = await shelves()
  const other = aWorkspace({ slug: 'other' })
  await store.workspaces.add(other, null, [])
  expect(await store.repos.add(aRepo(workspace), entry)).toBe(false)
  expect(await store.repos.add(aRepo(other), entry)).toBe(true)
  await store.repos.add(aRepo(workspace, { name: 'notes' }), entry)
  expect(await store.repos.change({ ...repo, name: 'notes', revision: 2 }, entry)).toBe('taken')
  expect((await store.repos.all()).map(({ name }) => name)).toEqual(['handbook', 'handbook', 'notes'])
})

it('changes from the revision that was read, and is gone once', async () => {
  const { store, workspace, repo, entry } = await shelves()
  const changed = { ...repo, name: 'diary', environments: ['test' as const], path: '/srv/diary', revision: 2 }
  expect(await store.repos.change(changed, entry)).toBe('done')
  expect(await store.repos.change(changed, entry)).toBe('changed meanwhile')
  expect(await store.repos.list(workspace.id)).toEqual([changed])
  const removed = entryOf('repo.removed', workspace.id, repo.id)
  await Promise.all([store.repos.remove(repo, removed), store.repos.remove(repo, removed)])
  expect(await store.repos.change({ ...changed, revision: 3 }, entry)).toBe('changed meanwhile')
  const { items } = await store.audit.list({ chain: workspace.id, action: 'repo.removed' }, { limit: 9, cursor: null })
  expect(items).toHaveLength(1)
})
