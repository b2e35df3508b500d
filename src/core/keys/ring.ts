import type { Context } from '../context.ts'
import type { FoundKey, HeardChange } from '../store.ts'
import { keyTable } from './table.ts'

export type Ring = {
  find(hash: string): FoundKey | null | Promise<FoundKey | null>
  /** The key if memory alone says beyond doubt that it is active; undefined says nothing, and `find` and `judge` do. */
  active(hash: string, now: Date): FoundKey | undefined
  /** Whether a text of another shape than ours may be a key, or have been one: if not, nothing is read for it. */
  hasImported(): Promise<boolean>
}

/** In each of two tables, of which the older goes when the newer is full. A hundred thousand keys take some 100 MB. */
const MOST_KEYS = 125_000
const MOST_STRANGERS = 5_000

/**
 * The keys in use, never stale: as soon as anybody writes, what has changed since is read and forgotten before anything
 * is answered. Bounded, and strangers cannot push out good keys.
 */
export function keyRing({ store }: Pick<Context, 'store'>, mostKeys = MOST_KEYS): Ring {
  /** What all that is held was read at, or after. */
  let version: number | null = null
  /** The last change that was heard of. */
  let heard: HeardChange | null = null
  /** Rises whenever something was forgotten. */
  let forgotten = 0
  let catchingUp: { to: number; done: Promise<void> } | null = null

  let keys = keyTable()
  let older = keyTable()
  const strangers = new Set<string>()
  let imported: Promise<boolean> | null = null

  function caughtUp(to: number): Promise<void> {
    if (catchingUp?.to !== to) {
      const done = catchUp(to).finally(() => {
        if (catchingUp?.done === done) catchingUp = null
      })
      catchingUp = { to, done }
    }
    return catchingUp.done
  }

  async function catchUp(to: number): Promise<void> {
    const { last, hashes } = await store.keys.changesAfter(heard)
    if (hashes) for (const hash of hashes) forget(hash)
    else forgetAll()
    imported = null
    heard = last
    version = Math.max(version ?? 0, to)
  }

  function forget(hash: string): void {
    forgotten++
    keys.drop(hash)
    older.drop(hash)
    strangers.delete(hash)
  }

  function forgetAll(): void {
    forgotten++
    keys = keyTable()
    older = keyTable()
    strangers.clear()
  }

  function look(hash: string): FoundKey | null | Promise<FoundKey | null> {
    const known = keys.get(hash)
    if (known !== undefined) return known
    const knownLonger = older.get(hash)
    if (knownLonger !== undefined) return kept(hash, knownLonger)
    if (strangers.has(hash)) return null
    return read(hash)
  }

  /** What a slow read brings may be out of date by then: it is kept only if nothing was forgotten meanwhile. */
  async function read(hash: string): Promise<FoundKey | null> {
    const before = forgotten
    const found = await store.keys.findByHash(hash)
    if (forgotten !== before) return found
    if (found) return kept(hash, found)
    if (strangers.size >= MOST_STRANGERS) strangers.delete(strangers.values().next().value!)
    strangers.add(hash)
    return null
  }

  function kept(hash: string, key: FoundKey): FoundKey {
    if (keys.size() >= mostKeys) {
      older = keys
      keys = keyTable()
    }
    keys.set(hash, key)
    return key
  }

  return {
    find(hash) {
      const current = store.version()
      return current === version ? look(hash) : caughtUp(current).then(() => look(hash))
    },

    active(hash, now) {
      return store.version() === version ? keys.active(hash, now) : undefined
    },

    hasImported() {
      const current = store.version()
      return current === version ? askImported() : caughtUp(current).then(askImported)
    },
  }

  function askImported(): Promise<boolean> {
    imported ??= store.keys.everImported().catch((error) => {
      imported = null
      throw error
    })
    return imported
  }
}
