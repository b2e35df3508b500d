import { withoutKeys } from './scrub.ts'

/** Every answer that says no, on any surface. The contract's closed list. */
export const CODES = [
  'multiple_credentials',
  'bad_request',
  'missing_key',
  'malformed_key',
  'unknown_key',
  'disabled_key',
  'expired_key',
  'revoked_key',
  'not_yet_valid',
  'unauthenticated',
  'wrong_environment',
  'insufficient_scope',
  'mcp_not_permitted',
  'tool_not_permitted',
  'ip_not_allowed',
  'url_key_not_allowed',
  'forbidden',
  'not_found',
  'conflict',
  'recently_used',
  'key_limit_reached',
  'precondition_failed',
  'payload_too_large',
  'unsupported_media_type',
  'validation_failed',
  'rate_limited',
  'quota_exceeded',
  'internal_error',
  'upstream_unavailable',
  'not_set_up',
  'shutting_down',
  'upstream_timeout',
] as const

export type Code = (typeof CODES)[number]

export type FieldError = { field: string; message: string }

/** The one error a caller may read. Anything else thrown is our bug and told to nobody. */
export class Refusal extends Error {
  readonly code: Code
  readonly errors: FieldError[]
  readonly retryAfterSeconds: number | null

  constructor(code: Code, message: string, more: { errors?: FieldError[]; retryAfterSeconds?: number } = {}) {
    super(withoutKeys(message)) // it may repeat what was sent, and a key pasted into the wrong field with it
    this.name = 'Refusal'
    this.code = code
    this.errors = (more.errors ?? []).map((error) => ({
      field: withoutKeys(error.field),
      message: withoutKeys(error.message),
    }))
    this.retryAfterSeconds = more.retryAfterSeconds ?? null
  }
}

export function invalid(field: string, message: string): Refusal {
  return new Refusal('validation_failed', message, { errors: [{ field, message }] })
}
