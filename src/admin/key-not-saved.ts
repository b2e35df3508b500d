import type { McpAccess } from '../core/keys/key.ts'
import type { KeyEdit } from '../core/keys/wishes.ts'
import type { Wrong } from './again.ts'
import { WORDS } from './key-history.ts'

const FIELDS: Record<keyof KeyEdit, string> = {
  name: 'name',
  description: 'description',
  type: 'type',
  scopes: 'scopes',
  mcpAccess: 'mcp_access',
  ipAllow: 'ip_allow',
  rateLimitPerMinute: 'rate_limit_per_minute',
  quotaPerDay: 'quota_per_day',
  allowInUrl: 'allow_in_url',
  notBefore: 'not_before',
  expiresAt: 'expires_at',
}

/** What a form said otherwise than the key says now, each beside its field. */
export function notSaved(typed: KeyEdit): Wrong {
  const names = Object.keys(typed) as (keyof KeyEdit)[]
  return [
    { message: 'Somebody changed this key meanwhile. Here it is as it is now; nothing of your form is saved.' },
    ...names.map((name) => ({
      field: FIELDS[name],
      message: `Not saved: the ${WORDS[name]} in your form, ${inWords(typed[name])}.`,
    })),
  ]
}

function inWords(value: KeyEdit[keyof KeyEdit]): string {
  if (value === null || value === undefined || value === '') return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (value instanceof Date) return value.toISOString().slice(0, 10)
  if (Array.isArray(value)) return value.join(', ') || 'none'
  return typeof value === 'object' ? accessInWords(value) : String(value)
}

function accessInWords(access: McpAccess): string {
  if (access.mode === 'all') return 'all MCP servers'
  return access.mcps.map(({ slug, tools }) => (tools ? `${slug} (${tools.join(', ')})` : slug)).join(', ') || 'none'
}
