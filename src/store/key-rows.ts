import type { Environment, Key, KeyType, Maker } from '../core/keys/key.ts'
import type { KeyChange, KeyWithUse } from '../core/store.ts'
import type { KeyRow, KeyUseRow } from './tables.ts'

export type KeyRowWithUse = KeyRow & Omit<KeyUseRow, 'key_id' | 'workspace_id'> & { old_last_used_at: number | null }

export function toKey(row: KeyRow): Key {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    ownerId: row.owner_id,
    hint: row.hint,
    name: row.name,
    description: row.description,
    environment: row.environment as Environment,
    type: row.type as KeyType,
    scopes: JSON.parse(row.scopes),
    mcpAccess: JSON.parse(row.mcp_access),
    ipAllow: JSON.parse(row.ip_allow),
    rateLimitPerMinute: row.rate_limit_per_minute,
    quotaPerDay: row.quota_per_day,
    allowInUrl: row.allow_in_url === 1,
    notBefore: date(row.not_before),
    expiresAt: date(row.expires_at),
    disabledAt: date(row.disabled_at),
    overlapEndsAt: date(row.overlap_ends_at),
    revokedAt: date(row.revoked_at),
    revokedReason: row.revoked_reason,
    createdAt: new Date(row.created_at),
    createdBy: { kind: row.created_by_kind as Maker['kind'], id: row.created_by_id, label: row.created_by_label },
    revision: row.revision,
  }
}

export function toKeyWithUse(row: KeyRowWithUse): KeyWithUse {
  return {
    ...toKey(row),
    lastUsedAt: row.last_used_at > 0 ? new Date(row.last_used_at) : null,
    lastUsedIp: row.last_used_ip,
    lastUsedClient: row.last_used_client,
    requestCount: row.request_count,
    oldLastUsedAt: date(row.old_last_used_at),
  }
}

export function toRow(key: Key): KeyRow {
  return {
    ...toColumns(key),
    id: key.id,
    workspace_id: key.workspaceId,
    owner_id: key.ownerId,
    hint: key.hint,
    environment: key.environment,
    overlap_ends_at: time(key.overlapEndsAt),
    created_at: key.createdAt.getTime(),
    created_by_kind: key.createdBy.kind,
    created_by_id: key.createdBy.id,
    created_by_label: key.createdBy.label,
    revision: key.revision,
  } as KeyRow
}

/** Only what is named: a column left undefined is left alone. */
export function toColumns(changed: KeyChange): Partial<KeyRow> {
  return {
    name: changed.name,
    description: changed.description,
    type: changed.type,
    scopes: changed.scopes && JSON.stringify(changed.scopes),
    mcp_access: changed.mcpAccess && JSON.stringify(changed.mcpAccess),
    ip_allow: changed.ipAllow && JSON.stringify(changed.ipAllow),
    rate_limit_per_minute: changed.rateLimitPerMinute,
    quota_per_day: changed.quotaPerDay,
    allow_in_url: changed.allowInUrl === undefined ? undefined : Number(changed.allowInUrl),
    not_before: time(changed.notBefore),
    expires_at: time(changed.expiresAt),
    disabled_at: time(changed.disabledAt),
    revoked_at: time(changed.revokedAt),
    revoked_reason: changed.revokedReason,
  }
}

function time(date: Date | null | undefined): number | null | undefined {
  return date === null ? null : date?.getTime()
}

export function date(time: number | null): Date | null {
  return time === null ? null : new Date(time)
}
