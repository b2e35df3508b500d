import { type Keeper, Line } from './http-line.ts'
import type { Place } from './http-request.ts'

export type SpareLines = Keeper & {
  /** Whether there may be one to take. */
  has(place: Place): boolean
  /** The one used last, or null. */
  take(place: Place): Line | null
  open(place: Place): Line
  /** Those that wait to be used again. */
  count(): number
}

const MOST_FOR_A_PLACE = 256
const SWEEP_MS = 500

/** Connections that wait for the next exchange with the same place. They keep no process alive. */
export function spareLines(now = () => performance.now()): SpareLines {
  const spare = new Map<string, Line[]>()
  let sweeper: ReturnType<typeof setInterval> | undefined

  function sweep(): void {
    const time = now()
    for (const [name, lines] of spare) {
      for (const line of [...lines]) if (!line.isUsable(time)) line.drop()
      if (lines.length === 0) spare.delete(name)
    }
    if (spare.size > 0) return
    clearInterval(sweeper)
    sweeper = undefined
  }

  const lines: SpareLines = {
    has: ({ name }) => (spare.get(name)?.length ?? 0) > 0,
    take({ name }) {
      const waiting = spare.get(name)
      if (waiting === undefined) return null
      const time = now()
      for (let line = waiting.pop(); line; line = waiting.pop()) {
        if (line.isUsable(time)) return line
        line.drop()
      }
      return null
    },
    open: (place) => new Line(place, lines),
    free(line) {
      const waiting = spare.get(line.place.name)
      if (waiting === undefined) spare.set(line.place.name, [line])
      else if (waiting.length < MOST_FOR_A_PLACE) waiting.push(line)
      else line.drop()
      if (sweeper !== undefined) return
      sweeper = setInterval(sweep, SWEEP_MS)
      sweeper.unref()
    },
    gone(line) {
      const waiting = spare.get(line.place.name)
      const at = waiting?.indexOf(line) ?? -1
      if (at !== -1) waiting!.splice(at, 1)
    },
    count: () => [...spare.values()].reduce((sum, { length }) => sum + length, 0),
  }
  return lines
}
