import { Refusal } from '../core/refusal.ts'
import type { FoundKey } from '../core/store.ts'
import { authenticateAgain, type Proven } from '../http/authenticate.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import type { Message } from '../upstreams/connection.ts'
import { noteUse } from './account.ts'
import { sessionIdOf } from './address.ts'
import { answerAggregate } from './aggregate.ts'
import { begin } from './handshake.ts'
import { parseMessage, readBody } from './message.ts'
import { checkModern, eraOf } from './modern.ts'
import { takeNotice } from './notice.ts'
import { refuse } from './refuse.ts'
import { Running, run } from './run.ts'
import { callSimply, isSimpleCall } from './simple-call.ts'
import { answerSingle } from './single.ts'
import type { Gateway, Turn } from './turn.ts'
import { checkVersionHeader } from './versions.ts'

/** One message of a client's: a request is answered, anything else is taken. Never rejects. */
export async function post(
  gateway: Gateway,
  req: BunRequest,
  res: BunAnswer,
  proven: Proven,
  slug: string | null,
): Promise<void> {
  let body: (Message & Record<string, unknown>) | null = null
  let simple = false
  try {
    body = parseMessage(req, await readBody(req))
    simple = slug === null && isSimpleCall(body)
    const again = authenticateAgain(gateway.ctx, gateway.ring, req, proven, gateway.asking) // a body may take minutes to arrive
    const { key } = again instanceof Promise ? await again : again
    if (simple) await callSimply(gateway, req, res, { ...proven, key }, body)
    else await answer(gateway, req, res, key, slug, body)
  } catch (error) {
    if (res.begun) return void res.cut()
    refuse(req, res, simple, error, body?.id ?? null)
  }
}

function answer(
  gateway: Gateway,
  req: BunRequest,
  res: BunAnswer,
  key: FoundKey,
  slug: string | null,
  body: Message & Record<string, unknown>,
): void | Promise<void> {
  checkShape(body)
  const era = eraOf(req, body)
  const { sessions } = gateway
  if (era === 'legacy' && body.method !== 'initialize') checkVersionHeader(req)
  if (body.method === undefined || body.id === undefined) {
    if (era === 'legacy') takeNotice(sessions.find(sessionIdOf(req), key, slug), body)
    return void res.writeHead(202).end()
  }
  const message = body as Turn['message']
  if (era === 'legacy' && message.method === 'initialize') return begin(gateway, req, res, key, slug, message)
  if (era === 'modern') checkModern(req, message)
  const session = era === 'legacy' ? sessions.find(sessionIdOf(req), key, slug) : null
  if (message.method === 'subscriptions/listen') noteUse(gateway, req, key, session, message)
  const turn = new Running(gateway, req, res, key, message, era, session)
  return run(gateway, turn, () => (slug === null ? answerAggregate(gateway, turn) : answerSingle(gateway, turn, slug)))
}

function checkShape(body: Record<string, unknown>): void {
  if (body.jsonrpc !== '2.0') throw new Refusal('bad_request', 'The body must be a JSON-RPC 2.0 message.')
  if (body.method !== undefined && typeof body.method !== 'string')
    throw new Refusal('bad_request', 'The member `method` must be a text.')
  if (body.id !== undefined && typeof body.id !== 'string' && typeof body.id !== 'number')
    throw new Refusal('bad_request', 'The member `id` must be a text or a number.')
  if (body.id !== undefined && String(body.method).startsWith('notifications/'))
    throw new Refusal('bad_request', 'A notification has no `id`.') // as a request it could cancel others' calls
}
