import type { Context } from '../core/context.ts'
import type { Ring } from '../core/keys/ring.ts'
import { mcpShelf } from '../core/mcps/shelf.ts'
import { authenticate, type Proven } from '../http/authenticate.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { sayWhenExpiring } from '../http/expiring.ts'
import { noOAuth } from '../http/no-oauth.ts'
import type { Recorder } from '../http/record.ts'
import { sendProblem } from '../http/refusals.ts'
import type { Log } from '../log.ts'
import type { Catalogue } from '../upstreams/catalogue.ts'
import type { Pool } from '../upstreams/pool.ts'
import { sessionIdOf, slugOf } from './address.ts'
import { ProtocolError } from './errors.ts'
import { listenersOf } from './listen.ts'
import { post } from './post.ts'
import { refuseUnread } from './refuse.ts'
import { refusedKeys } from './refused-key.ts'
import { sessionsOf } from './sessions.ts'
import { openStream } from './stream.ts'
import { tasksOf } from './tasks.ts'
import type { Gateway } from './turn.ts'
import { checkVersionHeader } from './versions.ts'
import { keyWatch } from './watch.ts'

export type McpDoor = {
  /** Never throws, never rejects. */
  handle(req: BunRequest, res: BunAnswer): void | Promise<void>
  /** Ends every stream, so that the server can finish what is left and stop. */
  endStreams(): void
  close(): void
}

type Options = {
  ctx: Context
  ring: Ring
  pool: Pool
  catalogue: Catalogue
  recorder: Recorder
  log: Log
  version: string
}

/** The door for MCP clients: ahead of express, no body parser. */
export function gatewayDoor({ ctx, ring, pool, catalogue, recorder, log, version }: Options): McpDoor {
  const sessions = sessionsOf(
    (session) => {
      pool.endSubscriber(session)
      pool.endSession(session.id)
    },
    () => ctx.now().getTime(),
  )
  const listeners = listenersOf({
    sessions: () => sessions,
    subscriptions: pool.subscriptions,
    stale: catalogue.stale,
  })
  pool.listen(listeners.hear, listeners.isHeard)
  catalogue.onChange(listeners.changed)
  const watch = keyWatch(ctx, ring, [pool, catalogue], log)
  const streams: Gateway['streams'] = new Set()
  const gateway: Gateway = {
    ctx,
    ring,
    shelf: mcpShelf(ctx),
    pool,
    catalogue,
    sessions,
    listeners,
    tasks: tasksOf(),
    watch,
    streams,
    recorder,
    asking: { urlToo: true, refused: refusedKeys(ctx, recorder) },
    log,
    version,
  }

  function answer(req: BunRequest, res: BunAnswer, slug: string | null, proven: Proven): void | Promise<void> {
    const { key } = proven
    sayWhenExpiring(res, key, ctx.now)
    if (key.secret.endsAt) recorder.usedOld(key.secret.hash, ctx.now())
    if (req.method === 'POST') return post(gateway, req, res, proven, slug)
    checkVersionHeader(req)
    if (req.method === 'GET') return openStream(gateway, req, res, key, slug)
    if (req.method === 'DELETE') {
      sessions.end(sessions.find(sessionIdOf(req), key, slug))
      return void res.writeHead(204).end()
    }
    res.setHeader('Allow', 'POST, GET, DELETE')
    throw new ProtocolError(405, -32600, 'Only POST, GET and DELETE are answered here.')
  }

  async function answerLater(
    req: BunRequest,
    res: BunAnswer,
    slug: string | null,
    proven: Proven | Promise<Proven>,
  ): Promise<void> {
    try {
      await answer(req, res, slug, await proven)
    } catch (error) {
      await failed(req, res, slug, error)
    }
  }

  async function failed(req: BunRequest, res: BunAnswer, slug: string | null, error: unknown): Promise<void> {
    if (res.begun) res.cut()
    else await refuseUnread(req, res, slug, error)
  }

  return {
    handle(req, res) {
      const slug = slugOf(req.path)
      try {
        if (slug?.includes('.well-known')) return sendProblem(res, noOAuth(), req.seen.id)
        const proven = authenticate(ctx, ring, req, gateway.asking)
        if (proven instanceof Promise || req.method !== 'POST') return answerLater(req, res, slug, proven)
        return answer(req, res, slug, proven)
      } catch (error) {
        return failed(req, res, slug, error)
      }
    },
    endStreams() {
      for (const stream of streams) stream.abort()
    },
    close() {
      watch.close()
      sessions.close()
    },
  }
}
