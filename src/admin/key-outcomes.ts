import type { ActivityLine } from '../core/activity.ts'

type Outcome = ActivityLine['outcome']
type Told = { kind: 'good' | 'warn' | 'bad'; text: string; why: string | null }

/** What became of a call, and why it did not become more. */
export function outcomeOf(line: ActivityLine): Told {
  const { outcome } = line
  if (outcome === 'ok') return { kind: 'good', text: 'OK', why: null }
  const kind = outcome === 'tool_error' || outcome === 'cancelled' ? 'warn' : 'bad'
  const why = WHY[outcome]
  return { kind, text: outcome, why: typeof why === 'function' ? why(line) : (why ?? null) }
}

const WHY: Partial<Record<Outcome, string | ((line: ActivityLine) => string)>> = {
  tool_error: 'The tool was called, and answered with an error of its own.',
  cancelled: 'The client hung up, or took the call back.',
  upstream_error: 'The MCP server answered with an error.',
  upstream_unavailable: 'The MCP server could not be reached.',
  upstream_timeout: 'The MCP server did not answer in time.',
  disabled_key: 'The key was disabled at that time.',
  expired_key: 'The key had expired.',
  revoked_key: 'The key was revoked, or this secret of it was rotated out.',
  not_yet_valid: 'The key was not valid yet.',
  ip_not_allowed: ({ ip }) => `${ip} is not among its allowed addresses.`,
  url_key_not_allowed: 'The key came in a URL, and may not.',
  wrong_environment: ({ environment }) => `The MCP server has no target for ${environment} keys.`,
  insufficient_scope: 'None of its scopes opens this.',
  mcp_not_permitted: 'Its MCP access does not include this server, or there is none of this name.',
  tool_not_permitted: 'Its MCP access does not include this tool, or there is none of this name.',
  rate_limited: 'It had made its requests of that minute.',
  quota_exceeded: 'It had made its calls of that day.',
  payload_too_large: 'The message was too large.',
  bad_request: 'The message could not be understood.',
  validation_failed: 'The message could not be understood.',
  not_found: 'There is no such address, or the session had ended.',
  shutting_down: 'Claviger was about to stop.',
  internal_error: 'Something broke on our side. The log says more, under the same request id.',
}
