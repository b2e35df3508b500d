import { expect, it } from 'vitest'
import type { Library, Repo } from '../../../src/core/docs.ts'
import { inStep } from '../../../src/core/repos/in-step.ts'
import { storeIn } from '../../support/store.ts'

/** A library that only notes which repos it was told of, and when it was asked. */
function noting() {
  const heard: string[] = []
  const ask = async () => void heard.push('asked')
  const library = {
    keep: (repos: Repo[]) => void heard.push(`kept ${repos.map(({ name }) => name).join()}`),
    ...Object.fromEntries(
      ['state', 'search', 'read', 'list', 'putFile', 'putZip', 'removeFile', 'refresh'].map((name) => [name, ask]),
    ),
    onChange: () => () => {},
    close: async () => {},
  } as unknown as Library
  return { heard, library }
}

/** A store that changes when the test says so. */
function changing() {
  const store = storeIn()
  const state = { version: 1, names: ['a'], broken: false }
  const all = async () => {
    if (state.broken) throw new Error('the disk is gone')
    return state.names.map((name) => ({ name }) as Repo)
  }
  return { state, store: { version: () => state.version, repos: { ...store.repos, all } } }
}

it('tells the library which repos there are before anybody asks it', async () => {
  const { heard, library } = noting()
  const { state, store } = changing()
  const kept = inStep(store, library)
  await kept.search([], 'x', 1)
  await kept.list({} as Repo, { limit: 1 })
  expect(heard).toEqual(['kept a', 'asked', 'asked'])
  Object.assign(state, { version: 2, names: ['a', 'b'] })
  await Promise.all([kept.state({} as Repo), kept.refresh({} as Repo)])
  expect(heard.slice(3)).toEqual(['kept a,b', 'asked', 'asked'])
})

it('looks again after a look that failed', async () => {
  const { heard, library } = noting()
  const { state, store } = changing()
  const kept = inStep(store, library)
  state.broken = true
  await expect(kept.look()).rejects.toThrow('the disk is gone')
  state.broken = false
  await kept.search([], 'x', 1)
  expect(heard).toEqual(['kept a', 'asked'])
})
