import type { KeyWithUse } from '../store.ts'
import { type Key, type KeyState, type Maker, type McpAccess, overlapIsOpen, stateOf } from './key.ts'

/** A key as every door prints it in JSON: the contract's fields, and no other. */
export type ShownKey = {
  id: string
  name: string
  description: string | null
  environment: Key['environment']
  type: Key['type']
  scopes: string[]
  mcp_access: McpAccess
  ip_allow: string[]
  rate_limit_per_minute: number
  quota_per_day: number | null
  allow_in_url: boolean
  not_before: string | null
  expires_at: string | null
  hint: string
  status: KeyState
  created_by: Maker
  created_at: string
  last_used_at: string | null
  last_used_ip: string | null
  last_used_client: string | null
  request_count: number
  /** While two secrets work. */
  rotation: { overlap_ends_at: string; old_last_used_at: string | null } | null
  revoked_reason: string | null
}

/** A bare `Key` counts as never used, which is true only of one just issued; read any other again first. */
export function shown(key: KeyWithUse | Key, now: Date): ShownKey {
  const use = 'requestCount' in key ? key : null
  return {
    id: key.id,
    name: key.name,
    description: key.description,
    environment: key.environment,
    type: key.type,
    scopes: key.scopes,
    mcp_access: key.mcpAccess,
    ip_allow: key.ipAllow,
    rate_limit_per_minute: key.rateLimitPerMinute,
    quota_per_day: key.quotaPerDay,
    allow_in_url: key.allowInUrl,
    not_before: iso(key.notBefore),
    expires_at: iso(key.expiresAt),
    hint: key.hint,
    status: stateOf(key, now),
    created_by: key.createdBy,
    created_at: key.createdAt.toISOString(),
    last_used_at: iso(use?.lastUsedAt),
    last_used_ip: use?.lastUsedIp ?? null,
    last_used_client: use?.lastUsedClient ?? null,
    request_count: use?.requestCount ?? 0,
    rotation: overlapIsOpen(key, now)
      ? { overlap_ends_at: key.overlapEndsAt.toISOString(), old_last_used_at: iso(use?.oldLastUsedAt) }
      : null,
    revoked_reason: key.revokedReason,
  }
}

function iso(date: Date | null | undefined): string | null {
  return date?.toISOString() ?? null
}
