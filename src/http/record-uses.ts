import type { KeyUsed } from '../core/activity.ts'
import type { UseStore } from '../core/store.ts'

export type WaitingUses = ReturnType<typeof waitingUses>

/** Uses are the same few rows again and again, however many calls come: they add up here until they are written. */
export function waitingUses(store: UseStore) {
  let uses = new Map<string, KeyUsed>()
  let olds = new Map<string, Date>()
  return {
    get size() {
      return uses.size + olds.size
    },
    add(use: KeyUsed) {
      note(uses, use)
    },
    addOld(hash: string, at: Date) {
      olds.set(hash, at)
    },
    /** Those that could not be written go on waiting. */
    async write() {
      if (uses.size + olds.size === 0) return
      const [writing, writingOlds] = [uses, olds]
      uses = new Map()
      olds = new Map()
      try {
        await store.note(
          [...writing.values()],
          [...writingOlds].map(([hash, at]) => ({ hash, at })),
        )
      } catch (error) {
        for (const use of uses.values()) note(writing, use)
        uses = writing
        olds = new Map([...writingOlds, ...olds])
        throw error
      }
    },
  }
}

/** The later one says when and from where. */
function note(uses: Map<string, KeyUsed>, use: KeyUsed): void {
  const known = uses.get(use.keyId)
  if (known) {
    use.requests += known.requests
    use.client ??= known.client
  }
  uses.set(use.keyId, use)
}
