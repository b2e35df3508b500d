import type { ServerResponse } from 'node:http'

export type Turns = {
  /** Resolves once so much fits beside what others hold. It is given back when the answer has gone, or nobody waits for it. */
  take(size: number, res: ServerResponse): Promise<void>
}

type Waiting = { size: number; begin: () => void }

/** For what fits into memory only so often: the rest waits, in the order in which it came. */
export function turnsOf(most: number): Turns {
  let free = most
  let waiting: Waiting[] = []

  function next(): void {
    while (waiting[0] && waiting[0].size <= free) {
      const { size, begin } = waiting.shift()!
      free -= size
      begin()
    }
  }

  return {
    async take(wanted, res) {
      if (res.destroyed) return // nobody waits for it any more, and reading will tell
      const size = Math.min(wanted, most)
      const { promise, resolve } = Promise.withResolvers<void>()
      const turn = { size, begin: resolve }
      waiting.push(turn)
      res.once('close', () => {
        const begun = !waiting.includes(turn)
        waiting = waiting.filter((one) => one !== turn)
        if (begun) free += size
        next()
      })
      next()
      return promise
    },
  }
}
