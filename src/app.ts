import type { Config } from './config.ts'
import { openContext } from './context.ts'
import type { Context } from './core/context.ts'
import { newId } from './core/ids.ts'
import { keyRing } from './core/keys/ring.ts'
import { Refusal } from './core/refusal.ts'
import { furnishOlder } from './core/repos/furnish.ts'
import type { KeptLibrary } from './core/repos/in-step.ts'
import { gatewayDoor } from './gateway/routes.ts'
import { BunAnswer } from './http/bun-answer.ts'
import { BunRequest } from './http/bun-request.ts'
import { refuseRepeatedHeaders } from './http/framing.ts'
import { keepFromCaches } from './http/headers.ts'
import { health } from './http/health.ts'
import { knownHosts } from './http/hosts.ts'
import { recorder } from './http/record.ts'
import { asRefusal, problemOf, sendProblem, sendRpcError } from './http/refusals.ts'
import { carriesKey, trustedProxies } from './http/seen.ts'
import { serve } from './http/serve.ts'
import { setupGate } from './http/setup-gate.ts'
import { throughExpress } from './http/through-express.ts'
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

/** Joins configuration, outlets and doors on one server. */
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
  const door = { https: config.tls_cert !== null, proxies, log }
  const answerHealth = health(ctx.store, () => served.draining())

  function take(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const { promise, resolve: give } = Promise.withResolvers<Response>()
    const address = server.requestIP(request)?.address ?? ''
    const req = new BunRequest(request, newId('req', now()), address, door)
    answer(req, new BunAnswer(request, server, give))
    return promise
  }

  function failed(error: unknown): Response {
    const id = newId('req', now())
    const problem = problemOf(asRefusal(error, log.with({ request_id: id })), id)
    return Response.json(problem, { status: problem.status })
  }

  /** Waits for nothing itself: that alone costs each call some microseconds. */
  function answer(req: BunRequest, res: BunAnswer): void {
    res.setHeader('X-Request-Id', req.seen.id)
    if (carriesKey(req)) keepFromCaches(res)
    if (config.log_level === 'debug') logWhenDone(req, res)
    try {
      refuseRepeatedHeaders(req)
      if (answerHealth(req.path, req, res)) return
      hosts.check(req)
      if (served.draining()) refuseWhileDraining(res)
      if (!isMcp(req)) return void answerSite(req, res)
      const setUp = requireSetUp()
      if (setUp) void answerOnce(setUp, req, res)
      else void mcp.handle(req, res)
    } catch (error) {
      refuse(req, res, error)
    }
  }

  async function answerOnce(setUp: Promise<void>, req: BunRequest, res: BunAnswer): Promise<void> {
    try {
      await setUp
      await mcp.handle(req, res)
    } catch (error) {
      refuse(req, res, error)
    }
  }

  async function answerSite(req: BunRequest, res: BunAnswer): Promise<void> {
    try {
      pages ??= loadSite()
      throughExpress(await pages, req, res, (error) => refuse(req, res, error))
    } catch (error) {
      refuse(req, res, error)
    }
  }

  const { host, port, tls_cert: certificate, tls_key: key } = config
  const served = serve({ host, port, certificate, key }, { answer: take, failed })
  const stopLooking = lookAgain(library, log)
  const stopJobs = startJobs(ctx, { activityDays: config.activity_days, log })
  return {
    ctx,
    origin: served.origin,
    async close() {
      await served.close(graceMs, mcp.endStreams)
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

function isMcp({ path }: BunRequest): boolean {
  return path === '/mcp' || path.startsWith('/mcp/')
}

function refuseWhileDraining(res: BunAnswer): never {
  res.setHeader('Connection', 'close')
  throw new Refusal('shutting_down', 'The server is shutting down. Try again in a moment.', { retryAfterSeconds: 1 })
}

function refuse(req: BunRequest, res: BunAnswer, error: unknown): void {
  const refusal = asRefusal(error, req.log)
  if (res.begun) return res.cut()
  if (isMcp(req)) sendRpcError(res, refusal, req.seen.id)
  else sendProblem(res, refusal, req.seen.id)
}

function logWhenDone(req: BunRequest, res: BunAnswer): void {
  const startedAt = performance.now()
  res.onClose(() => {
    const { address, url } = req.seen
    const ms = Math.round(performance.now() - startedAt)
    req.log.debug('Request', { method: req.method, url, status: res.status, address, ms })
  })
}
