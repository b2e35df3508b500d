import type { ActivityLine, KeyUsed } from '../core/activity.ts'
import type { Context } from '../core/context.ts'
import { withoutKeys } from '../core/scrub.ts'
import type { Log } from '../log.ts'
import { type RecordTroubles, recordTroubles } from './record-troubles.ts'
import { waitingUses } from './record-uses.ts'

export type Recorder = {
  /** Costs nothing now: it is written after the answer, with others. */
  record(line: ActivityLine, on?: { isUse: boolean }): void
  /** A use that is no call: it says only when and from where the key was used. */
  used(use: Omit<KeyUsed, 'requests'>): void
  /** A secret that was rotated out is still in use. */
  usedOld(hash: string, at: Date): void
  flush(): Promise<void>
  close(): Promise<void>
}

const EVERY_MS = 250
/** Uses are written where calls run, so every second time while they come. */
const USES_EVERY_MS = 400
/** Handing over a line takes a microsecond, and calls wait for a slice. */
const SLICE = 1_000
/** When the disk cannot keep up or is full, no more are kept; calls go on. */
const MOST_WAITING = 100_000

export function recorder(ctx: Context, log: Log): Recorder {
  let lines: ActivityLine[] = []
  let usesAt = 0
  const uses = waitingUses(ctx.store.uses)
  const troubles = recordTroubles(log, ctx.now, 'Activity')
  const linesWritten = oneAtATime(writeLines, troubles, () => lines.length)
  const usesWritten = oneAtATime(writeUses, recordTroubles(log, ctx.now, 'The last use of keys'), () => uses.size)
  const timer = setInterval(() => {
    void linesWritten()
    if (performance.now() - usesAt > USES_EVERY_MS) void usesWritten()
  }, EVERY_MS)
  timer.unref()

  /** As many as there are now: those that come meanwhile wait for company. */
  async function writeLines(): Promise<void> {
    for (let left = lines.length; left > 0; left -= SLICE) {
      const slice = lines.splice(0, Math.min(left, SLICE))
      try {
        await ctx.store.activity.write(slice)
      } catch (error) {
        lines = slice.concat(lines)
        throw error
      }
    }
  }

  async function writeUses(): Promise<void> {
    if (uses.size > 0) usesAt = performance.now()
    await uses.write()
  }

  async function flush(): Promise<void> {
    await Promise.all([linesWritten(), usesWritten()])
  }

  return {
    record(said, { isUse } = { isUse: true }) {
      const line = bounded(said)
      const { keyId, at, ip, client } = line
      if (keyId !== null && isUse) uses.add({ keyId, at, ip, client, requests: 1 }) // one for each key: room for all
      if (lines.length < MOST_WAITING) lines.push(line)
      else troubles.lost()
    },
    used(use) {
      if (uses.size < MOST_WAITING) uses.add({ ...use, client: kept(use.client), requests: 1 })
    },
    usedOld(hash, at) {
      if (uses.size < MOST_WAITING) uses.addOld(hash, at)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush() // perhaps only what was under way
      await flush()
    },
  }
}

/** Whoever asks meanwhile gets what is under way. It never rejects: what could not be written is told and tried again. */
function oneAtATime(write: () => Promise<void>, troubles: RecordTroubles, waiting: () => number): () => Promise<void> {
  let running: Promise<void> | null = null
  return () => {
    running ??= write()
      .then(troubles.over, (error: unknown) => troubles.failed(error, waiting()))
      .finally(() => {
        running = null
      })
    return running
  }
}

const LONGEST = 256
/** No whole key or token is shorter. */
const SHORTEST_SECRET = 50

/** Names come from callers: they may be as long as a body, or a key that was pasted into the wrong place. */
function bounded(line: ActivityLine): ActivityLine {
  const longest = Math.max(line.method.length, line.mcp?.length ?? 0, line.tool?.length ?? 0, line.client?.length ?? 0)
  if (longest < SHORTEST_SECRET) return line
  return {
    ...line,
    mcp: kept(line.mcp),
    tool: kept(line.tool),
    method: kept(line.method),
    client: kept(line.client),
  }
}

function kept<T extends string | null>(text: T): T {
  return (text && withoutKeys(text.slice(0, 2 * LONGEST)).slice(0, LONGEST)) as T
}
