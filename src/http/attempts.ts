import type { Store } from 'express-rate-limit'

const MOST_KEYS = 50_000

export type Attempts = Store & {
  /** How many still count for this key. */
  used(key: string): number
  secondsLeft(key: string): number
}

/** express-rate-limit's counts, in windows by the clock that was handed in. Bounded: the oldest window goes first. */
export function attemptsWithin(windowMs: number, now: () => Date): Attempts {
  const windows = new Map<string, { hits: number; endsAt: number }>()

  function current(key: string) {
    const known = windows.get(key)
    if (known && known.endsAt > now().getTime()) return known
    if (known) windows.delete(key)
    return null
  }

  return {
    localKeys: true,
    increment(key) {
      let window = current(key)
      if (!window) {
        if (windows.size >= MOST_KEYS) windows.delete(windows.keys().next().value!)
        window = { hits: 0, endsAt: now().getTime() + windowMs }
        windows.set(key, window)
      }
      window.hits++
      // no resetTime: with one, version 8 compares it with the real clock before it decrements
      return { totalHits: window.hits, resetTime: undefined }
    },
    decrement(key) {
      const window = current(key)
      if (window && window.hits > 0) window.hits--
    },
    resetKey(key) {
      windows.delete(key)
    },
    resetAll() {
      windows.clear()
    },
    used: (key) => current(key)?.hits ?? 0,
    secondsLeft: (key) => Math.max(1, Math.ceil(((current(key)?.endsAt ?? 0) - now().getTime()) / 1000)),
  }
}
