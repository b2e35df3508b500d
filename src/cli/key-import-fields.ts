import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import { type ImportedKey, readSha256 } from '../core/keys/importing.ts'
import type { McpAccess, McpGrant } from '../core/keys/key.ts'
import { UsageError } from './command.ts'
import { ENVIRONMENTS, readGrant, TYPES } from './key-options.ts'

/** The names of the REST API; in a table, several of one kind are parted by spaces. Empty means left out. */
const READ: Record<string, (value: unknown, now: Date) => Partial<ImportedKey>> = {
  name: (value) => ({ name: text(value) }),
  sha256: (value) => ({ sha256: readSha256(text(value)).toString('hex') }),
  hint: (value) => ({ hint: text(value) }),
  description: (value) => ({ description: text(value) }),
  environment: (value) => ({ environment: word(value, ENVIRONMENTS) }),
  type: (value) => ({ type: word(value, TYPES) }),
  scopes: (value) => ({ scopes: words(value) }),
  mcps: (value) => ({ mcpAccess: { mode: 'selected', mcps: words(value).map(readGrant) } }),
  mcp_access: (value) => ({ mcpAccess: accessOf(value) }),
  ip_allow: (value) => ({ ipAllow: words(value) }),
  rate_limit_per_minute: (value) => ({ rateLimitPerMinute: whole(value) }),
  quota_per_day: (value) => ({ quotaPerDay: whole(value) }),
  allow_in_url: (value) => ({ allowInUrl: word(String(value), ['true', 'false'] as const) === 'true' }),
  not_before: (value) => ({ notBefore: readNotBefore(text(value)) }),
  expires_at: (value, now) => ({ expiresAt: readExpiry(text(value), now) }),
}

export function wantedOf(record: Record<string, unknown>, now: Date): ImportedKey {
  const wanted: Partial<ImportedKey> = {}
  for (const [name, value] of Object.entries(record)) {
    const read = Object.hasOwn(READ, name) ? READ[name] : undefined
    if (!read) throw new UsageError(`"${name}" is not known. Give ${Object.keys(READ).join(', ')}.`)
    if (value !== '' && value !== null)
      Object.assign(
        wanted,
        under(name, () => read(value, now)),
      )
  }
  if (wanted.name === undefined || wanted.sha256 === undefined) throw new UsageError('Give its name and its sha256.')
  return { ...wanted, name: wanted.name, sha256: wanted.sha256 }
}

/** Says which field cannot be read, where the sentence does not. */
function under<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${name}: ${error.message}`)
    throw error
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new UsageError(`${JSON.stringify(value)} is no text.`)
  return value
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : text(value).split(/\s+/).filter(Boolean)
}

function word<T extends string>(value: unknown, known: readonly T[]): T {
  const found = known.find((one) => one === value)
  if (!found) throw new UsageError(`${JSON.stringify(value)} is neither ${known.join(' nor ')}.`)
  return found
}

function whole(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
  throw new UsageError(`${JSON.stringify(value)} is no whole number.`)
}

/** As the REST API writes it; what it names is judged where all access is. */
function accessOf(value: unknown): McpAccess {
  if (has(value, ['mode']) && value.mode === 'all') return { mode: 'all' }
  if (!has(value, ['mode', 'mcps']) || value.mode !== 'selected' || !Array.isArray(value.mcps))
    throw new UsageError('Write {"mode": "all"} or {"mode": "selected", "mcps": [{"slug": "docs"}]}.')
  return { mode: 'selected', mcps: value.mcps.map(grantOf) }
}

function grantOf(value: unknown): McpGrant {
  if (!has(value, ['slug', 'tools'])) throw new UsageError(`${JSON.stringify(value)} is no {"slug": …, "tools": […]}.`)
  const { slug, tools = null } = value
  if (tools !== null && !Array.isArray(tools)) throw new UsageError(`${JSON.stringify(tools)} is no list of tools.`)
  return { slug: text(slug), tools: tools?.map(text) ?? null }
}

/** An object with these members and no other. */
function has(value: unknown, names: string[]): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.keys(value).every((name) => names.includes(name))
}
