const EVERY_MS = 50

/** One timer for all that is waited for: one for each call would cost each call 3 µs. */
export function deadlines<Id>(waiting: Map<Id, { until: number }>, over: (id: Id) => void): { start(): void } {
  let timer: ReturnType<typeof setInterval> | undefined

  function look(): void {
    if (waiting.size === 0) {
      clearInterval(timer)
      timer = undefined
      return
    }
    const now = performance.now()
    for (const [id, { until }] of waiting) if (until <= now) over(id)
  }

  return {
    start() {
      timer ??= setInterval(look, EVERY_MS)
    },
  }
}
