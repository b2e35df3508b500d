import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ActivityLine } from '../core/activity.ts'
import type { Context } from '../core/context.ts'
import type { Key } from '../core/keys/key.ts'
import type { Ring } from '../core/keys/ring.ts'
import { mcpShelf } from '../core/mcps/shelf.ts'
import { Refusal } from '../core/refusal.ts'
import { authenticate } from '../http/authenticate.ts'
import { sayWhenExpiring } from '../http/expiring.ts'
import type { Recorder } from '../http/record.ts'
import { cachingOf, STATUS, sendProblem } from '../http/refusals.ts'
import type { Log } from '../log.ts'
import type { Catalogue } from '../upstreams/catalogue.ts'
import type { JsonObject, Message } from '../upstreams/connection.ts'
import { type Era, type Introduction, NEWEST_LEGACY, RpcError } from '../upstreams/handshake.ts'
import type { Pool } from '../upstreams/pool.ts'
import { answerAggregate, introduceAggregate } from './aggregate.ts'
import { asMessageRefusal, errorText, ProtocolError, sendWholeError } from './errors.ts'
import { listenersOf } from './listen.ts'
import { parseMessage, readBody } from './message.ts'
import { checkModern, eraOf, modernStatus } from './modern.ts'
import { type Reply, replyTo } from './reply.ts'
import { type Abortable, type Session, sessionsOf } from './sessions.ts'
import { isSimpleCall, simpleCall } from './simple-call.ts'
import { answerSingle, introduceSingle, reachable } from './single.ts'
import { announcedBy, clientName, type Gateway, type Turn } from './turn.ts'
import { keyWatch } from './watch.ts'

export type McpDoor = {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>
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

/** The door for MCP clients: plain node:http, ahead of express, no body parser. */
export function gatewayDoor({ ctx, ring, pool, catalogue, recorder, log, version }: Options): McpDoor {
  const shelf = mcpShelf(ctx)
  const held = new Map<Session, { close(): void }>()
  const sessions = sessionsOf(
    (session) => {
      held.get(session)?.close()
      held.delete(session)
      pool.endSession(session.id)
    },
    () => ctx.now().getTime(),
  )
  const listeners = listenersOf({ sessions: () => sessions, stale: catalogue.stale })
  pool.listen((mcp, environment, message) => listeners.hear(mcp, environment, message, null))
  catalogue.onChange(listeners.changed)
  const watch = keyWatch(ctx, pool, log, sessions.endOfKey)
  /** What would never end by itself: how to end each. */
  const streams = new Set<() => void>()
  const gateway: Gateway = {
    ctx,
    ring,
    shelf,
    pool,
    catalogue,
    sessions,
    listeners,
    recorder,
    log,
    version,
  }

  return {
    async handle(req, res) {
      try {
        const { key } = await authenticate(ctx, ring, req, { urlToo: true })
        sayWhenExpiring(res, key, ctx.now())
        const slug = slugOf(req.url ?? '')
        if (req.method === 'POST') return await post(req, res, key, slug)
        if (req.method === 'GET') return await openStream(req, res, key, slug)
        if (req.method === 'DELETE') return endSession(req, res, key, slug)
        res.setHeader('Allow', 'POST, GET, DELETE')
        throw new ProtocolError(405, -32600, 'Only POST, GET and DELETE are answered here.')
      } catch (error) {
        if (res.headersSent) return void res.destroy()
        sendWholeError(res, error, null, req.seen.id, req.log)
      }
    },
    endStreams() {
      for (const end of streams) end()
    },
    close() {
      watch.close()
      sessions.close()
    },
  }

  async function post(req: IncomingMessage, res: ServerResponse, key: Key, slug: string | null): Promise<void> {
    const body = parseMessage(req, await readBody(req))
    key = (await authenticate(ctx, ring, req, { urlToo: true })).key // a body may take minutes to arrive
    if (slug === null && isSimpleCall(body)) return callSimply(req, res, key, body)
    try {
      await answer(req, res, key, slug, body)
    } catch (error) {
      if (res.headersSent) throw error
      sendWholeError(res, error, body.id ?? null, req.seen.id, req.log)
    }
  }

  async function answer(
    req: IncomingMessage,
    res: ServerResponse,
    key: Key,
    slug: string | null,
    body: Message & Record<string, unknown>,
  ): Promise<void> {
    if (body.jsonrpc !== '2.0') throw new Refusal('bad_request', 'The body must be a JSON-RPC 2.0 message.')
    if (body.method !== undefined && typeof body.method !== 'string')
      throw new Refusal('bad_request', 'The member `method` must be a text.')
    if (body.id !== undefined && typeof body.id !== 'string' && typeof body.id !== 'number')
      throw new Refusal('bad_request', 'The member `id` must be a text or a number.')
    const era = eraOf(req, body)
    if (body.method === undefined || body.id === undefined) return takeAside(req, res, key, slug, body, era)
    const message = body as Turn['message']
    if (era === 'legacy' && message.method === 'initialize') return begin(req, res, key, slug, message)
    if (era === 'modern') checkModern(req, message)
    const session = era === 'legacy' ? sessions.find(sessionIdOf(req), key, slug) : null
    const turn = turnOf(req, res, key, message, era, session)
    await run(turn, () => (slug === null ? answerAggregate(gateway, turn) : answerSingle(gateway, turn, slug)))
  }

  /** From the moment a request is understood until its answer has left: what may cut it short, and what is noted of it. */
  async function run(turn: Turn & { finish(): void }, answer: () => Promise<string>): Promise<void> {
    const startedAt = performance.now()
    let status = 200
    try {
      const text = await answer()
      status = turn.era === 'modern' ? modernStatus(text) : 200
      turn.note.outcome = outcomeOf(text)
      turn.reply.end(text, status)
    } catch (error) {
      const failed = errorText(error, turn.message.id, turn.req.seen.id, turn.req.log)
      status = failed.status
      turn.note.outcome = failed.outcome
      turn.reply.end(failed.text, failed.status)
    } finally {
      turn.finish()
      note(turn, status, performance.now() - startedAt)
    }
  }

  function turnOf(
    req: IncomingMessage,
    res: ServerResponse,
    key: Key,
    message: Turn['message'],
    era: Turn['era'],
    session: Session | null,
  ): Turn & { finish(): void } {
    const hold = watch.open(key)
    const reply = replyTo(req, res)
    const { abort } = hold
    res.once('close', abort)
    const forget = session && underWay(session, message.id, hold, reply)
    if (message.method === 'subscriptions/listen') streams.add(abort)
    return {
      req,
      res,
      key,
      era,
      session,
      message,
      reply,
      signal: hold.signal,
      note: { mcp: null, tool: null, upstreamMs: null, outcome: 'ok' },
      finish() {
        streams.delete(abort)
        res.off('close', abort) // to abort what is over costs more than the whole proof of the key
        hold.close()
        forget?.()
      },
    }
  }

  async function begin(
    req: IncomingMessage,
    res: ServerResponse,
    key: Key,
    slug: string | null,
    message: Turn['message'],
  ): Promise<void> {
    const introduction = introductionIn(message)
    const session = sessions.begin(key, slug, introduction)
    const turn = turnOf(req, res, key, message, 'legacy', session)
    turn.note.mcp = slug
    res.setHeader('Mcp-Session-Id', session.id)
    const hold = watch.open(key)
    hold.signal.addEventListener('abort', () => sessions.end(session), { once: true })
    held.set(session, hold)
    await run(turn, async () => {
      try {
        const result =
          slug === null
            ? await introduceAggregate(gateway, key, session)
            : await introduceSingle(gateway, key, session, slug)
        return JSON.stringify({ jsonrpc: '2.0', id: message.id, result })
      } catch (error) {
        sessions.end(session)
        if (!res.headersSent) res.removeHeader('Mcp-Session-Id')
        throw error
      }
    })
  }

  /** Notifications, and answers to what a server asked: taken, and answered with nothing. */
  function takeAside(
    req: IncomingMessage,
    res: ServerResponse,
    key: Key,
    slug: string | null,
    message: Message,
    era: Era,
  ): void {
    const session = era === 'modern' ? null : sessions.find(sessionIdOf(req), key, slug)
    if (session && message.method === undefined) session.answered(message)
    else if (session && message.method === 'notifications/cancelled') cancel(session, message.params?.requestId)
    else if (session && message.method !== 'notifications/initialized')
      for (const lease of session.leases) if (lease.dedicated) lease.connection.notify(message.method!, message.params)
    res.writeHead(202)
    res.end()
  }

  async function openStream(req: IncomingMessage, res: ServerResponse, key: Key, slug: string | null): Promise<void> {
    const session = sessions.find(sessionIdOf(req), key, slug)
    if (slug !== null) await reachable(gateway, key, slug)
    const hold = watch.open(key)
    const end = () => void res.end()
    hold.signal.addEventListener('abort', end, { once: true })
    streams.add(end)
    res.once('close', () => {
      streams.delete(end)
      hold.close()
    })
    session.openStream(res)
  }

  function endSession(req: IncomingMessage, res: ServerResponse, key: Key, slug: string | null): void {
    sessions.end(sessions.find(sessionIdOf(req), key, slug))
    res.writeHead(204)
    res.end()
  }

  async function callSimply(
    req: IncomingMessage,
    res: ServerResponse,
    key: Key,
    body: Record<string, unknown>,
  ): Promise<void> {
    const startedAt = performance.now()
    const hold = watch.open(key)
    res.once('close', hold.abort)
    const message = { id: 1, method: 'tools/call' }
    const nobody: Reply = { aside: () => false, end: () => {}, isOpen: () => true }
    const turn: Turn = {
      req,
      res,
      key,
      era: 'modern',
      session: null,
      message,
      reply: nobody,
      signal: hold.signal,
      note: { mcp: null, tool: null, upstreamMs: null, outcome: 'ok' },
    }
    let status = 200
    try {
      const text = await simpleCall(gateway, { ...turn, message }, body)
      turn.note.outcome = outcomeOf(text)
      res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': cachingOf(res) })
      res.end(text)
    } catch (error) {
      const refusal =
        error instanceof RpcError
          ? new Refusal('upstream_unavailable', `The MCP server answers: ${error.error.message}`)
          : asMessageRefusal(error, req.log)
      status = STATUS[refusal.code]
      turn.note.outcome = refusal.code
      sendProblem(res, refusal, req.seen.id)
    } finally {
      hold.close()
      note(turn, status, performance.now() - startedAt)
    }
  }

  function note({ req, key, session, message, note }: Turn, status: number, latencyMs: number): void {
    gateway.recorder.record({
      workspaceId: key.workspaceId,
      at: ctx.now(),
      requestId: req.seen.id,
      keyId: key.id,
      mcp: note.mcp,
      method: message.method,
      tool: note.tool,
      environment: key.environment,
      outcome: note.outcome,
      status,
      latencyMs: rounded(latencyMs),
      upstreamMs: note.upstreamMs === null ? null : rounded(note.upstreamMs),
      ip: req.seen.address,
      client: announcedBy(message, session) ?? clientName({ name: req.headers['user-agent'] }),
    })
  }
}

function underWay(session: Session, id: unknown, controller: Abortable, reply: Reply): () => void {
  const name = JSON.stringify(id)
  const same = session.underWay.get(name) ?? new Set()
  session.underWay.set(name, same.add(controller))
  session.replies.add(reply)
  return () => {
    same.delete(controller)
    if (same.size === 0) session.underWay.delete(name)
    session.replies.delete(reply)
  }
}

/** Clients have been seen to give several requests one id: then nobody knows which is meant, and none is cancelled. */
function cancel(session: Session, id: unknown): void {
  const meant = session.underWay.get(JSON.stringify(id))
  if (meant?.size === 1) for (const controller of meant) controller.abort()
}

function introductionIn(message: Message): Introduction {
  const { protocolVersion, capabilities, clientInfo } = (message.params ?? {}) as JsonObject
  return {
    protocolVersion: typeof protocolVersion === 'string' ? protocolVersion : NEWEST_LEGACY,
    capabilities: isObject(capabilities) ? capabilities : {},
    clientInfo: isObject(clientInfo) ? clientInfo : { name: 'unknown', version: '0' },
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sessionIdOf(req: IncomingMessage): string | undefined {
  const id = req.headers['mcp-session-id']
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** Null at `/mcp`; what is no slug is an MCP that does not exist. */
function slugOf(url: string): string | null {
  const [path] = url.split(/[?#]/)
  const rest = path!.replace(/^\/mcp\/?/, '').replace(/\/$/, '')
  return rest === '' ? null : rest
}

function outcomeOf(text: string): ActivityLine['outcome'] {
  if (/^\{("error":|"jsonrpc":"2\.0","id":[^{]{1,200}?,"error":)/.test(text.slice(0, 300))) return 'upstream_error'
  return text.includes('"isError":true') ? 'tool_error' : 'ok'
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
