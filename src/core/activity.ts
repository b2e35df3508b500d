import type { Environment } from './keys/key.ts'
import type { Code } from './refusal.ts'

/** One line for each call, written after its answer. */
export type ActivityLine = {
  workspaceId: string
  at: Date
  requestId: string
  keyId: string | null
  mcp: string | null
  method: string
  tool: string | null
  environment: Environment
  outcome: 'ok' | 'tool_error' | 'upstream_error' | 'cancelled' | Code
  status: number
  latencyMs: number
  upstreamMs: number | null
  ip: string
  client: string | null
}

/** Refusals of the key itself: whoever met one would not notice if it stopped. */
export const NOT_IN_USE = [
  ...(['disabled_key', 'expired_key', 'revoked_key', 'not_yet_valid'] as const),
  ...(['ip_not_allowed', 'url_key_not_allowed'] as const),
] satisfies Code[]

/** A line as every door prints it in JSON. */
export function shownActivity(line: ActivityLine) {
  return {
    at: line.at.toISOString(),
    request_id: line.requestId,
    key_id: line.keyId,
    mcp: line.mcp,
    method: line.method,
    tool: line.tool,
    environment: line.environment,
    outcome: line.outcome,
    status: line.status,
    latency_ms: line.latencyMs,
    upstream_ms: line.upstreamMs,
    ip: line.ip,
    client: line.client,
  }
}

/** What a batch of calls says about one key. */
export type KeyUsed = { keyId: string; at: Date; ip: string; client: string | null; requests: number }

/** A secret that was rotated out, and is still in use: rotating is done once nobody is left. */
export type OldSecretUsed = { hash: string; at: Date }
