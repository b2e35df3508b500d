import type { ActivityLine, KeyUsed } from '../core/activity.ts'
import type { Context } from '../core/context.ts'
import type { Log } from '../log.ts'

export type Recorder = {
  /** Costs nothing now: it is written after the answer, with others. */
  record(line: ActivityLine): void
  /** A use that is no call: it says only when and from where the key was used. */
  used(use: Omit<KeyUsed, 'requests'>): void
  /** A secret that was rotated out is still in use. */
  usedOld(hash: string, at: Date): void
  flush(): Promise<void>
  close(): Promise<void>
}

const EVERY_MS = 250
/** Small slices: a long transaction would hold up the calls that come meanwhile. */
const SLICE = 200
/** When the disk cannot keep up or is full, no more lines are kept; calls go on. */
const MOST_WAITING = 100_000

export function recorder(ctx: Context, log: Log): Recorder {
  let lines: ActivityLine[] = []
  let uses = new Map<string, KeyUsed>()
  let olds = new Map<string, Date>()
  let writing: Promise<void> | null = null
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
      const slice = lines.slice(0, SLICE)
      const seen = uses
      const old = olds
      uses = new Map()
      olds = new Map()
      for (const line of slice) if (line.keyId !== null) note(seen, { ...line, keyId: line.keyId })
      try {
        await ctx.store.activity.write(
          slice,
          [...seen.values()],
          [...old].map(([hash, at]) => ({ hash, at })),
        )
      } catch (error) {
        olds = new Map([...old, ...olds])
        for (const use of seen.values()) if (!slice.some(({ keyId }) => keyId === use.keyId)) uses.set(use.keyId, use)
        return log.error('Activity could not be written; it is tried again', { error, lines: lines.length })
      }
      lines = lines.slice(slice.length)
      if (lines.length > 0) await turnOfTheLoop()
    }
  }

  return {
    record(line) {
      if (lines.length < MOST_WAITING) lines.push(bounded(line))
    },
    used(use) {
      if (uses.size < MOST_WAITING) note(uses, use)
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

function note(uses: Map<string, KeyUsed>, { keyId, at, ip, client }: Omit<KeyUsed, 'requests'>): void {
  const known = uses.get(keyId)
  uses.set(keyId, { keyId, at, ip, client: client ?? known?.client ?? null, requests: (known?.requests ?? 0) + 1 })
}

/** The store is synchronous underneath: without this, calls would wait for all slices and not for one. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const LONGEST = 256

/** Names come from callers, and may be as long as a body. */
function bounded(line: ActivityLine): ActivityLine {
  const cut = (text: string | null) => (text === null ? null : text.slice(0, LONGEST))
  return {
    ...line,
    mcp: cut(line.mcp),
    tool: cut(line.tool),
    method: line.method.slice(0, LONGEST),
    client: cut(line.client),
  }
}
