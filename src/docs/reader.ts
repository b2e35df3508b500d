import type { Library, Repo } from '../core/docs.ts'
import type { Environment } from '../core/keys/key.ts'
import type { Store } from '../core/store.ts'

/** On whose behalf documents are read, and what they may see at this moment. */
export type Reader = {
  repos(): Promise<Repo[]>
  library: Pick<Library, 'state' | 'search' | 'read' | 'list'>
  /** Told, a moment later, when documents of theirs came, changed or went. Returns how to stop. */
  onChange(hear: () => void): () => void
}

export type ReaderName = { workspaceId: string; environment: Environment }

const QUIET_MS = 1_000

/** What keys of an environment read in their workspace; without a library nothing. */
export function readersOf(
  store: Pick<Store, 'seenVersion' | 'repos'>,
  library: Library | null,
): (name: ReaderName) => Reader {
  const listed = listedOnce(store)

  return ({ workspaceId, environment }) => {
    const repos = async () =>
      library ? (await listed(workspaceId)).filter(({ environments }) => environments.includes(environment)) : []

    const visible = async () => (await repos().catch(() => [])).map(({ id }) => id)

    function onChange(hear: () => void): () => void {
      const changed = new Set<string>()
      /** Those that were theirs when they last heard: what is taken from them is a change too. */
      let known = visible()
      let timer: ReturnType<typeof setTimeout> | null = null
      const stop = library?.onChange((ids) => {
        for (const id of ids) changed.add(id)
        timer ??= setTimeout(() => void tell(), QUIET_MS)
        timer.unref()
      })
      async function tell(): Promise<void> {
        timer = null
        const ids = new Set(changed)
        changed.clear()
        const before = await known
        known = visible()
        if ([...before, ...(await known)].some((id) => ids.has(id))) hear()
      }
      return () => {
        stop?.()
        if (timer !== null) clearTimeout(timer)
      }
    }

    return { repos, library: library ?? EMPTY, onChange }
  }
}

/** A workspace's repos as of the last look at the store: who calls was proven a moment ago, which was one. */
function listedOnce(store: Pick<Store, 'seenVersion' | 'repos'>): (workspaceId: string) => Promise<Repo[]> {
  let version = store.seenVersion()
  let lists = new Map<string, Promise<Repo[]>>()
  return (workspaceId) => {
    const current = store.seenVersion()
    if (current !== version) {
      version = current
      lists = new Map()
    }
    const known = lists.get(workspaceId)
    if (known) return known
    const into = lists
    const list = store.repos.list(workspaceId)
    into.set(workspaceId, list)
    list.catch(() => into.delete(workspaceId))
    return list
  }
}

const EMPTY: Reader['library'] = {
  async state() {
    throw new Error('There is no library here.')
  },
  search: async () => [],
  read: async () => null,
  list: async () => ({ items: [], nextCursor: null }),
}
