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

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
