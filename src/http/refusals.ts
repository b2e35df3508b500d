import { type Code, Refusal } from '../core/refusal.ts'
import type { Log } from '../log.ts'
import type { Outgoing } from './messages.ts'

export const STATUS: Record<Code, number> = {
  multiple_credentials: 400,
  bad_request: 400,
  missing_key: 401,
  malformed_key: 401,
  unknown_key: 401,
  disabled_key: 401,
  expired_key: 401,
  revoked_key: 401,
  not_yet_valid: 401,
  unauthenticated: 401,
  wrong_environment: 403,
  insufficient_scope: 403,
  mcp_not_permitted: 403,
  tool_not_permitted: 403,
  ip_not_allowed: 403,
  url_key_not_allowed: 403,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  recently_used: 409,
  key_limit_reached: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  rate_limited: 429,
  quota_exceeded: 429,
  internal_error: 500,
  upstream_unavailable: 502,
  not_set_up: 503,
  shutting_down: 503,
  upstream_timeout: 504,
}

const TITLES: Partial<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  412: 'Changed meanwhile',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Not valid',
  429: 'Too many requests',
  500: 'Internal error',
  502: 'Upstream unavailable',
  503: 'Not available',
  504: 'Upstream too slow',
}

export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: Code
  request_id: string
  errors?: { field: string; message: string }[]
}

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const status = STATUS[refusal.code]
  return {
    type: `urn:claviger:error:${refusal.code}`,
    title: TITLES[status]!,
    status,
    detail: refusal.message,
    code: refusal.code,
    request_id: requestId,
    ...(refusal.errors.length > 0 && { errors: refusal.errors }),
  }
}

/** The voice for JSON-RPC; scope, MCP, tool and limits have their own integers, what is malformed JSON-RPC's. */
export function rpcErrorOf(refusal: Refusal, requestId: string, id: unknown = null): object {
  const data = {
    code: refusal.code,
    request_id: requestId,
    ...(refusal.errors.length > 0 && { errors: refusal.errors }),
  }
  return { jsonrpc: '2.0', id, error: { code: rpcCode(refusal.code), message: refusal.message, data } }
}

export function rpcCode(code: Code): number {
  const status = STATUS[code]
  if (code === 'internal_error') return -32603
  if (status === 401) return -32040
  if (status === 403) return -32043
  if (status === 429) return -32029
  if (status === 502 || status === 504) return -32050
  if (status === 503) return -32053
  return -32600
}

/** What RFC 6750 §3 and RFC 9110 §10.2.3 ask to be sent beside a refusal. */
export function refusalHeaders(refusal: Refusal): Record<string, string> {
  const headers: Record<string, string> = {}
  const status = STATUS[refusal.code]
  if (refusal.code === 'missing_key') headers['WWW-Authenticate'] = 'Bearer realm="claviger"'
  else if (refusal.code === 'unauthenticated') headers['WWW-Authenticate'] = 'Session realm="claviger"'
  else if (status === 401)
    headers['WWW-Authenticate'] =
      `Bearer realm="claviger", error="invalid_token", error_description="${quotable(`${refusal.code}: ${refusal.message}`)}"`
  else if (refusal.code === 'insufficient_scope')
    headers['WWW-Authenticate'] = 'Bearer realm="claviger", error="insufficient_scope"'
  if (refusal.retryAfterSeconds !== null) headers['Retry-After'] = String(refusal.retryAfterSeconds)
  return headers
}

/** RFC 6750 §3: what an `error_description` may hold. Codex shows it, and nothing else of a refusal. */
function quotable(text: string): string {
  return text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')
}

export function sendProblem(res: Outgoing, refusal: Refusal, requestId: string): void {
  const body = JSON.stringify(problemOf(refusal, requestId))
  res.writeHead(STATUS[refusal.code], {
    ...refusalHeaders(refusal),
    'Content-Type': 'application/problem+json',
    'Cache-Control': cachingOf(res),
  })
  res.end(body)
}

export function sendRpcError(res: Outgoing, refusal: Refusal, requestId: string, id: unknown = null): void {
  const body = JSON.stringify(rpcErrorOf(refusal, requestId, id))
  res.writeHead(STATUS[refusal.code], {
    ...refusalHeaders(refusal),
    'Content-Type': 'application/json',
    'Cache-Control': cachingOf(res),
  })
  res.end(body)
}

/** Stricter where a key stood in the URL. */
export function cachingOf(res: Pick<Outgoing, 'getHeader'>): string {
  return String(res.getHeader('Cache-Control') ?? 'no-store')
}

/** Anything but a Refusal is our bug: logged whole, told to nobody. */
export function asRefusal(error: unknown, log: Log): Refusal {
  if (error instanceof Refusal) return error
  log.error('Unexpected error', { error })
  return new Refusal('internal_error', 'Something went wrong here. The request id finds it in the log.')
}
