import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Config } from './config.ts'
import { openContext } from './context.ts'
import type { Context } from './core/context.ts'
import { newId } from './core/ids.ts'
import { keyRing } from './core/keys/ring.ts'
import { Refusal } from './core/refusal.ts'
import { furnishOlder } from './core/repos/furnish.ts'
import type { KeptLibrary } from './core/repos/in-step.ts'
import { gatewayDoor } from './gateway/routes.ts'
import { drainOf } from './http/drain.ts'
import { refuseRepeatedHeaders } from './http/framing.ts'
import { keepFromCaches } from './http/headers.ts'
import { health } from './http/health.ts'
import { knownHosts } from './http/hosts.ts'
import { listen, serverFor } from './http/listen.ts'
import { recorder } from './http/record.ts'
import { asRefusal, sendProblem, sendRpcError } from './http/refusals.ts'
import { carriesKey, look, trustedProxies } from './http/seen.ts'
import { setupGate } from './http/setup-gate.ts'
import { startJobs } from './jobs.ts'
import { libraryFor } from './library.ts'
import type { Log } from './log.ts'
import { endLeftovers, upstreamsFor } from './upstreams.ts'
import { VERSION } from './version.ts'

export type App = {
  ctx: Context
  origin: string
  /** Finishes what is in flight, ends streams, then closes the database. */
  close(): Promise<void>
}

export type Wanted = { config: Config; log: Log; now?: () => Date; inMemory?: boolean; graceMs?: number }

/** Joins configuration, outlets and doors on one node:http server. */
export async function startApp({
  config,
  log,
  now = () => new Date(),
  inMemory = false,
  graceMs = 25_000,
}: Wanted): Promise<App> {
  const { ctx, migrated } = openContext(config, now, inMemory)
  if (migrated.length > 0) log.info('The database is up to date', { migrations: migrated.length })
  await furnishOlder(ctx)
  const proxies = trustedProxies(config.trusted_proxies)
  const hosts = knownHosts({ bound: config.host, publicUrl: config.public_url })
  if (hosts.open) log.warn('Every host name is answered. Set CLAVIGER_PUBLIC_URL to the one people use.')

  const ring = keyRing(ctx)
  const requireSetUp = setupGate(ctx)
  if (!inMemory) await endLeftovers(config, log)
  const library = libraryFor(ctx, config, log, inMemory)
  const { pool, catalogue, tools } = upstreamsFor(ctx, config, log, inMemory, library)
  const record = recorder(ctx, log)
  const mcp = gatewayDoor({ ctx, ring, pool, catalogue, recorder: record, log, version: VERSION })
  let pages: ReturnType<typeof loadSite> | null = null
  const server = serverFor({ certificate: config.tls_cert, key: config.tls_key })
  const drain = drainOf(server)
  const answerHealth = health(ctx.store, drain.draining)

  server.on('request', async (req: IncomingMessage, res: ServerResponse) => {
    const id = newId('req', now())
    req.seen = look(req, id, proxies)
    req.log = log.with({ request_id: id })
    res.setHeader('X-Request-Id', id)
    if (carriesKey(req)) keepFromCaches(res)
    drain.begin(res)
    if (config.log_level === 'debug') logWhenDone(req, res)
    const path = pathOf(req.url ?? '/')
    const isMcp = path === '/mcp' || path.startsWith('/mcp/')
    try {
      refuseRepeatedHeaders(req)
      const healthy = answerHealth(path, req, res)
      if (healthy) return void (await healthy)
      hosts.check(req)
      if (drain.draining()) {
        res.setHeader('Connection', 'close')
        throw new Refusal('shutting_down', 'The server is shutting down. Try again in a moment.', {
          retryAfterSeconds: 1,
        })
      }
      if (!isMcp) {
        pages ??= loadSite()
        return void (await pages)(req, res)
      }
      const setUp = requireSetUp()
      if (setUp) await setUp
      await mcp.handle(req, res)
    } catch (error) {
      const refusal = asRefusal(error, req.log)
      if (res.headersSent) return void res.destroy()
      if (isMcp) sendRpcError(res, refusal, id)
      else sendProblem(res, refusal, id)
    }
  })

  const origin = await listen(server, config.host, config.port)
  const stopLooking = lookAgain(library, log)
  const stopJobs = startJobs(ctx, { activityDays: config.activity_days, log })
  return {
    ctx,
    origin,
    async close() {
      await drain.close(graceMs, mcp.endStreams)
      stopJobs()
      stopLooking()
      mcp.close()
      await record.close()
      await pool.close()
      await library.close()
      await ctx.store.close()
    },
  }

  /** MCP needs none of it: what nobody asks for takes no time at the start, and no memory. */
  async function loadSite() {
    const { site } = await import('./site.ts')
    const { public_url: publicUrl } = config
    return site({ ctx, ring, tools, library, recorder: record, requireSetUp, hosts, publicUrl, version: VERSION })
  }
}

const LOOK_MS = 1000

/** A repo that a command adds beside the server is read at once, without waiting for somebody to search. */
function lookAgain(library: KeptLibrary, log: Log): () => void {
  const look = () =>
    library.look().catch((error: unknown) => log.error('The repos could not be read; trying again', { error }))
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** The path as Express would see it; an absolute-form target counts as its path. */
function pathOf(url: string): string {
  const path = url.startsWith('/') ? url : (URL.parse(url)?.pathname ?? '/')
  const end = path.search(/[?#]/)
  return end < 0 ? path : path.slice(0, end)
}

function logWhenDone(req: IncomingMessage, res: ServerResponse): void {
  const startedAt = performance.now()
  res.once('close', () => {
    const { address, url } = req.seen
    const ms = Math.round(performance.now() - startedAt)
    req.log.debug('Request', { method: req.method, url, status: res.statusCode, address, ms })
  })
}
