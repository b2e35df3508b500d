import type { Context } from '../context.ts'
import type { Mcp } from './mcp.ts'

export type Shelf = { of(workspaceId: string): ReadonlyMap<string, Mcp> | Promise<ReadonlyMap<string, Mcp>> }

/**
 * The MCPs of each workspace by slug, in the order of their slugs; never stale, as with the ring of keys: every request
 * was proven before, and the ring has looked then.
 */
export function mcpShelf({ store }: Pick<Context, 'store'>): Shelf {
  let version = store.version()
  let shelves = new Map<string, ReadonlyMap<string, Mcp>>()

  return {
    of(workspaceId) {
      const current = store.seenVersion()
      if (current !== version) {
        version = current
        shelves = new Map()
      }
      return shelves.get(workspaceId) ?? read(workspaceId, shelves)
    },
  }

  async function read(workspaceId: string, into: typeof shelves): Promise<ReadonlyMap<string, Mcp>> {
    const mcps = new Map((await store.mcps.list(workspaceId)).map((mcp) => [mcp.slug, mcp]))
    into.set(workspaceId, mcps)
    return mcps
  }
}
