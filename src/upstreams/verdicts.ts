import type { Era } from './handshake.ts'

export type Verdicts = {
  /** Null where nobody knows, or knows any more. */
  of(place: string): Era | null
  set(place: string, era: Era): void
}

/** A server that was updated meanwhile is asked again some day: a stale verdict would never heal. */
const HELD_MS = 24 * 3_600_000

/** Which era each server speaks, so that not every connection begins with a question. */
export function verdictsOf(now: () => Date): Verdicts {
  const verdicts = new Map<string, { era: Era; until: number }>()

  return {
    of(place) {
      const verdict = verdicts.get(place)
      return verdict && verdict.until > now().getTime() ? verdict.era : null
    },
    set: (place, era) => void verdicts.set(place, { era, until: now().getTime() + HELD_MS }),
  }
}
