import type { Context } from '../core/context.ts'
import { type Key, stateOf } from '../core/keys/key.ts'
import type { Log } from '../log.ts'
import type { Pool } from '../upstreams/pool.ts'

export type Watch = {
  /** Until `close`, the signal aborts as soon as the key is not what it was. */
  open(key: Key): { signal: AbortSignal; abort(): void; close(): void }
  close(): void
}

/** Often enough that nobody sees the difference, and one memory read when nothing was written. */
const EVERY_MS = 100

type Held = { key: Key; controllers: Set<AbortController>; unseen: boolean }

/**
 * Ends what is under way for a key that was disabled, revoked, deleted, changed or has expired, by whatever process.
 * A changed key ends too: what it may do now is for its next request to find out.
 */
export function keyWatch(
  ctx: Context,
  pool: Pick<Pool, 'keepOnly' | 'workspaces'>,
  log: Log,
  ended: (keyId: string) => void,
): Watch {
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
      const current = ctx.store.version()
      const written = current !== version
      for (const [id, entry] of [...held]) {
        const { key } = entry
        const now = written || entry.unseen ? await ctx.store.keys.byId(key.workspaceId, id) : key
        entry.unseen = false
        const good = now && now.revision === key.revision && stateOf(now, ctx.now()) === 'active'
        if (!good && held.get(id) === entry) end(id)
      }
      if (written) await dropChangedMcps()
      version = current // only now: what failed halfway is looked at again
    } finally {
      looking = false
    }
  }

  /** Only the workspaces whose MCPs are being reached are asked about: there may be thousands of others. */
  async function dropChangedMcps(): Promise<void> {
    const current = new Map<string, number>()
    for (const id of pool.workspaces())
      for (const mcp of await ctx.store.mcps.list(id)) current.set(mcp.id, mcp.revision)
    pool.keepOnly((mcpId, revision) => current.get(mcpId) === revision)
  }

  function end(keyId: string): void {
    const entry = held.get(keyId)
    if (!held.delete(keyId)) return
    for (const controller of entry!.controllers) controller.abort()
    ended(keyId)
  }

  return {
    open(key) {
      const controller = new AbortController()
      if (held.get(key.id)?.key.revision !== key.revision) end(key.id)
      const { controllers } = held.get(key.id) ?? { controllers: new Set<AbortController>() }
      if (!held.has(key.id)) held.set(key.id, { key, controllers, unseen: true })
      controllers.add(controller)
      return {
        signal: controller.signal,
        abort: () => controller.abort(),
        close() {
          controllers.delete(controller)
          if (controllers.size === 0 && held.get(key.id)?.controllers === controllers) held.delete(key.id)
        },
      }
    },
    close: () => clearInterval(timer),
  }
}
