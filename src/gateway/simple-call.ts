import { refusalFor } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { authenticateAgain, type Proven } from '../http/authenticate.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { cachingOf, STATUS, sendProblem } from '../http/refusals.ts'
import { Cancelled, parsedAnswer } from '../upstreams/connection.ts'
import { envelope, RpcError } from '../upstreams/handshake.ts'
import { account } from './account.ts'
import { asMessageRefusal } from './errors.ts'
import { forward } from './forward.ts'
import { outcomeOf } from './outcome.ts'
import { reachable } from './reach.ts'
import type { Reply } from './reply.ts'
import type { Gateway, Turn } from './turn.ts'

export function isSimpleCall(body: Record<string, unknown>): boolean {
  return body.jsonrpc === undefined && ('mcp_id' in body || 'tool' in body)
}

/** For scripts with curl: one tool called, its result as plain JSON. */
export async function callSimply(
  gateway: Gateway,
  req: BunRequest,
  res: BunAnswer,
  proven: Proven,
  body: Record<string, unknown>,
): Promise<void> {
  const startedAt = performance.now()
  const { key } = proven
  const hold = gateway.watch.open(key)
  res.mayLast()
  res.onClose(() => hold.abort())
  const turn: Turn = {
    req,
    res,
    key,
    era: 'modern',
    session: null,
    message: { id: 1, method: 'tools/call' },
    reply: NOBODY,
    signal: hold,
    note: { mcp: null, tool: null, upstreamMs: null, outcome: 'ok' },
  }
  let status = 200
  try {
    const text = await simpleCall(gateway, turn, body)
    turn.note.outcome = outcomeOf(text, turn.message.method)
    res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': cachingOf(res) })
    res.end(text)
  } catch (error) {
    const refusal = error instanceof Cancelled ? await whyCancelled(gateway, req, proven) : refusalOf(error, req)
    turn.note.outcome = error instanceof Cancelled ? 'cancelled' : refusal.code
    if (res.gone) return // nobody is there to be told
    status = STATUS[refusal.code]
    sendProblem(res, refusal, req.seen.id)
  } finally {
    hold.close()
    account(gateway, turn, status, startedAt)
  }
}

function refusalOf(error: unknown, req: BunRequest): Refusal {
  return error instanceof RpcError
    ? new Refusal('upstream_unavailable', `The MCP server answers: ${error.error.message}`)
    : asMessageRefusal(error, req.log)
}

/** The key has ended, or may do something else now; else the caller hung up. */
async function whyCancelled({ ctx, ring }: Gateway, req: BunRequest, proven: Proven): Promise<Refusal> {
  try {
    await authenticateAgain(ctx, ring, req, proven, { urlToo: true })
    return new Refusal('conflict', 'This key was changed during the call, which was given up. Call again.')
  } catch (error) {
    return asMessageRefusal(error, req.log)
  }
}

/** Who calls so hears the answer alone. */
const NOBODY: Reply = { aside: () => false, end: () => {}, isOpen: () => true }

async function simpleCall(gateway: Gateway, turn: Turn, body: unknown): Promise<string> {
  const { SimpleCall } = await import('./simple-body.ts') // zod: much to read in for a call that few make
  const read = SimpleCall.safeParse(body)
  if (!read.success) {
    const errors = read.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }))
    throw new Refusal('validation_failed', 'Send {"mcp_id": "…", "tool": "…", "arguments": {…}}.', { errors })
  }
  const { mcp_id: named, tool, arguments: given = {} } = read.data
  const slug =
    [...(await gateway.shelf.of(turn.key.workspaceId)).values()].find(({ id }) => id === named)?.slug ?? named
  turn.note.mcp = slug
  turn.note.tool = tool
  const refusal = refusalFor(turn.key, { slug, tool })
  if (refusal) throw refusal
  const mcp = await reachable(gateway, turn.key, slug)
  const answer = parsedAnswer(
    await forward(gateway, turn, mcp, 'tools/call', {
      name: tool,
      arguments: given,
      _meta: envelope({ capabilities: {}, clientInfo: { name: 'claviger', version: gateway.version } }),
    }),
  )
  if (answer.error) throw new RpcError(answer.error)
  const { resultType: _type, ...result } = answer.result as Record<string, unknown>
  return JSON.stringify({ result })
}
