import type { AuditLine } from '../core/audit.ts'

/** What people call the fields of a key. */
export const WORDS: Record<string, string> = {
  name: 'name',
  description: 'description',
  type: 'type',
  scopes: 'scopes',
  mcpAccess: 'MCP access',
  ipAllow: 'addresses',
  rateLimitPerMinute: 'rate limit',
  quotaPerDay: 'quota',
  allowInUrl: 'use in URLs',
  notBefore: 'start',
  expiresAt: 'expiry',
  ownerId: 'owner',
}

export function historyLine({ at, actor, action, before, after }: AuditLine): { at: Date; who: string; what: string } {
  return { at, who: actor.label, what: whatHappened(action, before, after) }
}

function whatHappened(action: string, before: AuditLine['before'], after: AuditLine['after']): string {
  switch (action) {
    case 'key.created':
      return 'Created'
    case 'key.imported':
      return 'Imported'
    case 'key.rotated':
      return after?.overlapEndsAt ? `Rotated, the old secret working until ${asTime(after.overlapEndsAt)}` : 'Rotated'
    case 'key.rotation_finished':
      return 'Rotation finished'
    case 'key.disabled':
      return 'Disabled'
    case 'key.enabled':
      return 'Enabled'
    case 'key.revoked':
      return after?.revokedReason ? `Revoked: ${after.revokedReason}` : 'Revoked'
    case 'key.changed': {
      const changed = Object.keys(after ?? {})
      if (changed.length === 1 && changed[0] === 'name') return `Renamed from ${before?.name} to ${after?.name}`
      return `Changed ${changed.map((name) => WORDS[name] ?? name).join(', ')}`
    }
    default:
      return action
  }
}

/** A time that the audit log gives back as text. */
function asTime(value: unknown): string {
  const iso = value instanceof Date ? value.toISOString() : String(value)
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}
