import type { Key } from '../core/keys/key.ts'
import type { BunRequest } from '../http/bun-request.ts'
import type { Message } from '../upstreams/connection.ts'
import type { Session } from './sessions.ts'
import { announcedBy, clientName, type Gateway, type Turn } from './turn.ts'

/** What the activity says of one request. */
export function account(gateway: Gateway, turn: Turn, status: number, startedAt: number): void {
  const { req, key, session, message, note } = turn
  gateway.recorder.record({
    workspaceId: key.workspaceId,
    at: gateway.ctx.now(),
    requestId: req.seen.id,
    keyId: key.id,
    mcp: note.mcp,
    method: message.method,
    tool: note.tool,
    environment: key.environment,
    outcome: note.outcome,
    status,
    latencyMs: rounded(performance.now() - startedAt),
    upstreamMs: note.upstreamMs === null ? null : rounded(note.upstreamMs),
    ip: req.seen.address,
    client: announcedBy(message, session) ?? clientName({ name: req.headers['user-agent'] }),
  })
}

/** A stream may last for days: the key is in use when it begins, and when it ends. */
export function noteUse(
  { recorder, ctx }: Gateway,
  req: BunRequest,
  { id }: Key,
  session: Session | null,
  message: Message = {},
): void {
  const client = announcedBy(message, session) ?? clientName({ name: req.headers['user-agent'] })
  recorder.used({ keyId: id, at: ctx.now(), ip: req.seen.address, client })
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
