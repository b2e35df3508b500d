import type { Log } from '../log.ts'

export type RecordTroubles = {
  failed(error: unknown, waiting: number): void
  /** A line for which there was no more room. */
  lost(): void
  /** All that waited has been written. */
  over(): void
}

const EVERY_MS = 60_000

/** A word at first and one a minute: a full disk lasts for hours, and the log may lie on it. */
export function recordTroubles(log: Log, now: () => Date, what: string): RecordTroubles {
  let saidAt: number | null = null
  let failures = 0
  let lost = 0

  function isDue(): boolean {
    const at = now().getTime()
    if (saidAt !== null && at - saidAt < EVERY_MS) return false
    saidAt = at
    return true
  }

  return {
    failed(error, waiting) {
      failures++
      if (isDue()) log.error(`${what} could not be written; it is tried again`, { error, failures, waiting, lost })
    },
    lost() {
      lost++
      if (isDue()) log.error(`${what} is lost: it comes faster than it can be written`, { lost })
    },
    over() {
      if (saidAt === null) return
      log.warn(`${what} is written again`, { failures, lost })
      saidAt = null
      failures = 0
      lost = 0
    },
  }
}
