import type { Context } from '../core/context.ts'
import { sameReach } from '../core/keys/bounds.ts'
import type { Ring } from '../core/keys/ring.ts'
import { judge } from '../core/keys/verify.ts'
import type { FoundKey } from '../core/store.ts'
import type { Log } from '../log.ts'
import { Stop } from '../upstreams/stop.ts'

/** Aborted as soon as the key is not what it was, or the secret that proved it has ended. */
export class Hold extends Stop {
  readonly #among: Set<Hold>

  constructor(among: Set<Hold>) {
    super()
    this.#among = among.add(this)
  }

  close(): void {
    this.#among.delete(this)
  }
}

export type Watch = {
  open(key: FoundKey): Hold
  close(): void
}

/** Keeps something for each MCP, under a definition that may change. */
type Keeper = {
  workspaces(): Set<string>
  keepOnly(isCurrent: (mcpId: string, revision: number) => boolean): void
}

/** Often enough that nobody sees the difference, and one memory read when nothing was written. */
const EVERY_MS = 100

type Held = { key: FoundKey; holds: Set<Hold>; unseen: boolean }

/**
 * Ends what is under way for a key that was disabled, revoked, deleted, changed or has expired, by whatever process,
 * and what a secret began that was rotated out, once the overlap is over. A key that may do something else now ends
 * too: what that is, is for its next request to find out.
 */
export function keyWatch(ctx: Context, ring: Ring, keepers: Keeper[], log: Log): Watch {
  const held = new Map<string, Held>()
  let version = ctx.store.version()
  let looking = false
  const timer = setInterval(
    () => look().catch((error) => log.error('Open streams could not be checked', { error })),
    EVERY_MS,
  )
  timer.unref()

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    try {
      for (const [hash, { holds }] of held) if (holds.size === 0) held.delete(hash)
      for (const [hash, { key }] of [...held]) if (!judge(key, ctx.now()).ok) end(hash) // which needs no database
      const current = ctx.store.version()
      const written = current !== version
      for (const [hash, entry] of [...held]) {
        const now = written || entry.unseen ? await ring.find(hash) : entry.key
        entry.unseen = false
        const good = now && sameReach(now, entry.key) && judge(now, ctx.now()).ok
        if (good) entry.key = now
        else if (held.get(hash) === entry) end(hash)
      }
      if (written && !(await dropChangedMcps(current))) return
      version = current // only now: what failed halfway is looked at again
    } finally {
      looking = false
    }
  }

  /** Only the workspaces whose MCPs are being reached are asked about: there may be thousands of others. */
  async function dropChangedMcps(version: number): Promise<boolean> {
    const current = new Map<string, number>()
    for (const id of new Set(keepers.flatMap((keeper) => [...keeper.workspaces()])))
      for (const mcp of await ctx.store.mcps.list(id)) current.set(mcp.id, mcp.revision)
    if (ctx.store.version() !== version) return false // one that was added meanwhile would be missed
    for (const keeper of keepers) keeper.keepOnly((mcpId, revision) => current.get(mcpId) === revision)
    return true
  }

  function end(hash: string): void {
    const entry = held.get(hash)
    if (!held.delete(hash)) return
    for (const hold of entry!.holds) {
      try {
        hold.abort()
      } catch (error) {
        log.error('Something could not be ended whose key is over', { error })
      }
    }
  }

  return {
    open(key) {
      const { hash } = key.secret
      let entry = held.get(hash)
      if (entry && entry.key !== key && !sameReach(entry.key, key)) {
        end(hash)
        entry = undefined
      }
      if (!entry) {
        entry = { key, holds: new Set(), unseen: true }
        held.set(hash, entry)
      }
      return new Hold(entry.holds)
    },
    close: () => clearInterval(timer),
  }
}
