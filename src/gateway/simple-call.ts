import { z } from 'zod'
import { refusalFor } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import type { Message } from '../upstreams/connection.ts'
import { envelope, RpcError } from '../upstreams/handshake.ts'
import { forward } from './forward.ts'
import { reachable } from './single.ts'
import type { Gateway, Turn } from './turn.ts'

const SimpleCall = z.strictObject({
  mcp_id: z.string().min(1),
  tool: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).optional(),
})

export function isSimpleCall(body: Record<string, unknown>): boolean {
  return body.jsonrpc === undefined && ('mcp_id' in body || 'tool' in body)
}

/** For scripts with curl: one tool called, its result as plain JSON. */
export async function simpleCall(gateway: Gateway, turn: Turn, body: unknown): Promise<string> {
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
  const answer = JSON.parse(
    await forward(gateway, turn, mcp, 'tools/call', {
      name: tool,
      arguments: given,
      _meta: envelope({ capabilities: {}, clientInfo: { name: 'claviger', version: gateway.version } }),
    }),
  ) as Message
  if (answer.error) throw new RpcError(answer.error)
  const { resultType: _type, ...result } = answer.result as Record<string, unknown>
  return JSON.stringify({ result })
}
