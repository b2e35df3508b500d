import type { Context } from '../context.ts'
import type { FoundKey } from '../store.ts'

export type Ring = {
  find(hash: string): FoundKey | null | Promise<FoundKey | null>
  /** Whether a text of another shape than ours may be a key, or have been one: if not, nothing is read for it. */
  hasImported(): Promise<boolean>
}

const MOST_KEYS = 20_000
const MOST_STRANGERS = 5_000

/**
 * The keys in use, never stale: a Map for each version of the store, thrown away as soon as anybody writes. A slow
 * read fills the Map it began with, which by then may be nobody's. Bounded, and strangers cannot push out good keys.
 */
export function keyRing({ store }: Pick<Context, 'store'>): Ring {
  let version = store.version()
  let keys = new Map<string, FoundKey>()
  let strangers = new Set<string>()

  let imported: Promise<boolean> | null = null

  function lookAround(): void {
    const current = store.version()
    if (current === version) return
    version = current
    keys = new Map()
    strangers = new Set()
    imported = null
  }

  return {
    find(hash) {
      lookAround()
      const known = keys.get(hash)
      if (known) return known
      if (strangers.has(hash)) return null
      return read(hash, keys, strangers)
    },

    hasImported() {
      lookAround()
      imported ??= store.keys.everImported().catch((error) => {
        imported = null
        throw error
      })
      return imported
    },
  }

  async function read(hash: string, into: Map<string, FoundKey>, not: Set<string>): Promise<FoundKey | null> {
    const found = await store.keys.findByHash(hash)
    if (found) remember(into, MOST_KEYS).set(hash, found)
    else remember(not, MOST_STRANGERS).add(hash)
    return found
  }
}

/** Makes room by dropping the oldest. */
function remember<C extends Map<string, unknown> | Set<string>>(collection: C, most: number): C {
  if (collection.size >= most) collection.delete(collection.keys().next().value!)
  return collection
}
