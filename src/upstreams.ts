import { join } from 'node:path'
import { type Config, processEnvironment } from './config.ts'
import type { Context } from './core/context.ts'
import { unsealTarget } from './core/mcps/sealing.ts'
import type { Tools } from './core/tools.ts'
import type { Log } from './log.ts'
import { type Catalogue, catalogueOf } from './upstreams/catalogue.ts'
import { openersFor } from './upstreams/open.ts'
import { type Pool, upstreamPool } from './upstreams/pool.ts'
import { toolsOver } from './upstreams/tools.ts'
import { VERSION } from './version.ts'

export type Upstreams = { pool: Pool; catalogue: Catalogue; tools: Tools }

/** The ways to MCP servers, for the server and the command line alike. */
export function upstreamsFor(ctx: Context, config: Config, log: Log, inMemory = false): Upstreams {
  const pool = upstreamPool({
    openers: openersFor({
      environment: processEnvironment(),
      runDir: inMemory ? null : join(config.data_dir, 'run'),
      allowPrivate: config.allow_private_addresses,
    }),
    unsealed: (target) => unsealTarget(ctx.secrets.sealing, target),
    now: ctx.now,
    log,
    version: VERSION,
  })
  const catalogue = catalogueOf(ctx, pool, log)
  return { pool, catalogue, tools: toolsOver(pool, catalogue, VERSION) }
}
