import { join } from 'node:path'
import { type Config, processEnvironment } from './config.ts'
import type { Context } from './core/context.ts'
import type { Library } from './core/docs.ts'
import { DOCS } from './core/mcps/mcp.ts'
import { unsealTarget } from './core/mcps/sealing.ts'
import type { Tools } from './core/tools.ts'
import { type ReaderName, readersOf } from './docs/reader.ts'
import type { Log } from './log.ts'
import { type Catalogue, catalogueOf } from './upstreams/catalogue.ts'
import { sweep } from './upstreams/leftovers.ts'
import { openersFor } from './upstreams/open.ts'
import { type Pool, upstreamPool } from './upstreams/pool.ts'
import { toolsOver } from './upstreams/tools.ts'
import { VERSION } from './version.ts'

/** Children of a predecessor that was killed: ended before any of ours is started. */
export async function endLeftovers(config: Config, log: Log): Promise<void> {
  const ended = await sweep(runDirOf(config))
  if (ended > 0) log.warn('Processes of MCP servers were left over and have been ended', { groups: ended })
}

function runDirOf(config: Config): string {
  return join(config.data_dir, 'run')
}

export type Upstreams = { pool: Pool; catalogue: Catalogue; tools: Tools }

/** The ways to MCP servers, for the server and, without a library to read in, for the command line. */
export function upstreamsFor(
  ctx: Context,
  config: Config,
  log: Log,
  inMemory = false,
  library: Library | null = null,
): Upstreams {
  const readers = readersOf(ctx.store, library)
  const pool = upstreamPool({
    openers: openersFor({
      environment: processEnvironment(),
      runDir: inMemory ? null : runDirOf(config),
      allowPrivate: config.allow_private_addresses,
      builtin: {
        async [DOCS](reader) {
          const { docsServer } = await import('./docs/server.ts')
          follow(reader)
          return docsServer(readers(reader), VERSION)
        },
      },
    }),
    unsealed: (target) => unsealTarget(ctx.secrets.sealing, target),
    now: ctx.now,
    log,
    version: VERSION,
  })
  const catalogue = catalogueOf(ctx, pool, log)
  const followed = new Set<string>()

  /** The lists at /mcp are kept for a while; those of our own server are read again as soon as its documents change. */
  function follow({ workspaceId, environment }: ReaderName): void {
    const name = `${workspaceId}/${environment}`
    if (followed.has(name)) return
    followed.add(name)
    const readAgain = async () => {
      for (const mcp of await ctx.store.mcps.list(workspaceId))
        if (mcp.transport === 'builtin' && mcp.targets[environment]) await catalogue.refresh(mcp, environment)
    }
    readers({ workspaceId, environment }).onChange(() => {
      readAgain().catch((error: unknown) => log.debug('The documents could not be listed again', { error }))
    })
  }

  return { pool, catalogue, tools: toolsOver(pool, catalogue, VERSION) }
}
