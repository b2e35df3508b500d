import type { ActivityLine, KeyUsed } from '../core/activity.ts'
import type { Context } from '../core/context.ts'
import type { Log } from '../log.ts'
import { recordTroubles } from './record-troubles.ts'

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
/** Whatever comes meanwhile waits for a slice, a millisecond or two: so few calls meet one. Smaller ones cost more in all. */
const SLICE = 200
/** Uses are the same few rows again and again: while lines do not end, they wait for so long. */
const USES_EVERY_MS = 500
/** When the disk cannot keep up or is full, no more lines are kept; calls go on. */
const MOST_WAITING = 100_000

export function recorder(ctx: Context, log: Log): Recorder {
  const lines: ActivityLine[] = []
  let uses = new Map<string, KeyUsed>()
  let olds = new Map<string, Date>()
  let writing: Promise<void> | null = null
  let usesAt = 0
  const troubles = recordTroubles(log, ctx.now)
  const timer = setInterval(() => void flush(), EVERY_MS)
  timer.unref()

  function flush(): Promise<void> {
    writing ??= write().finally(() => {
      writing = null
    })
    return writing
  }

  async function write(): Promise<void> {
    while (lines.length > 0 || uses.size > 0 || olds.size > 0) {
      const slice = lines.splice(0, SLICE)
      const withUses = lines.length === 0 || performance.now() - usesAt > USES_EVERY_MS
      const seen = withUses ? uses : NONE
      const old = withUses ? olds : NEVER
      if (withUses) {
        uses = new Map()
        olds = new Map()
        usesAt = performance.now()
      }
      try {
        await ctx.store.activity.write(
          slice,
          [...seen.values()],
          [...old].map(([hash, at]) => ({ hash, at })),
        )
      } catch (error) {
        lines.unshift(...slice)
        olds = new Map([...old, ...olds])
        const meanwhile = uses
        uses = new Map(seen)
        for (const use of meanwhile.values()) note(uses, use)
        return troubles.failed(error, lines.length)
      }
      if (lines.length > 0) await turnOfTheLoop()
    }
    troubles.over()
  }

  return {
    record(line, { isUse } = { isUse: true }) {
      const { keyId, at, ip, client } = line
      if (keyId !== null && isUse) note(uses, { keyId, at, ip, client, requests: 1 }) // one for each key: room for all
      if (lines.length < MOST_WAITING) lines.push(bounded(line))
      else troubles.lost()
    },
    used(use) {
      if (uses.size < MOST_WAITING) note(uses, { ...use, requests: 1 })
    },
    usedOld(hash, at) {
      if (olds.size < MOST_WAITING) olds.set(hash, at)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
      await flush()
    },
  }
}

const NONE: ReadonlyMap<string, KeyUsed> = new Map()
const NEVER: ReadonlyMap<string, Date> = new Map()

/** The later one says when and from where. */
function note(uses: Map<string, KeyUsed>, use: KeyUsed): void {
  const known = uses.get(use.keyId)
  if (known) {
    use.requests += known.requests
    use.client ??= known.client
  }
  uses.set(use.keyId, use)
}

/** The store is synchronous underneath: without this, calls would wait for all slices and not for one. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const LONGEST = 256

/** Names come from callers, and may be as long as a body. */
function bounded(line: ActivityLine): ActivityLine {
  const longest = Math.max(line.method.length, line.mcp?.length ?? 0, line.tool?.length ?? 0, line.client?.length ?? 0)
  if (longest <= LONGEST) return line
  const cut = (text: string | null) => (text === null ? null : text.slice(0, LONGEST))
  return {
    ...line,
    mcp: cut(line.mcp),
    tool: cut(line.tool),
    method: line.method.slice(0, LONGEST),
    client: cut(line.client),
  }
}
