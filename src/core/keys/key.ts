export type Environment = 'live' | 'test'
export type KeyType = 'restricted' | 'unrestricted'

export type McpGrant = { slug: string; tools: string[] | null }
export type McpAccess = { mode: 'all' } | { mode: 'selected'; mcps: McpGrant[] }

export type Maker = { kind: 'user' | 'key' | 'cli'; id: string | null; label: string }

/** What a key is. What it did (last use, counts) is kept apart: see KeyUse. */
export type Key = {
  id: string
  workspaceId: string
  /** Whose role bounds its management powers; null for one made on the command line. */
  ownerId: string | null
  hint: string
  name: string
  description: string | null
  environment: Environment
  type: KeyType
  scopes: string[]
  mcpAccess: McpAccess
  ipAllow: string[]
  rateLimitPerMinute: number
  quotaPerDay: number | null
  allowInUrl: boolean
  notBefore: Date | null
  expiresAt: Date | null
  disabledAt: Date | null
  /** Until then the secret that was rotated out works as well; null once that was ended, or never began. */
  overlapEndsAt: Date | null
  revokedAt: Date | null
  revokedReason: string | null
  createdAt: Date
  createdBy: Maker
  /** Rises with each change: an ETag, and how two changes at once are told apart. */
  revision: number
}

export type KeyUse = {
  lastUsedAt: Date | null
  lastUsedIp: string | null
  lastUsedClient: string | null
  requestCount: number
  /** Of the secret that was rotated out last, while both work. */
  oldLastUsedAt: Date | null
}

export type KeyState = 'active' | 'scheduled' | 'expired' | 'disabled' | 'revoked'

/** The strongest state that holds: revoked over disabled over expired over scheduled. */
export function stateOf(key: Key, now: Date): KeyState {
  if (key.revokedAt) return 'revoked'
  if (key.disabledAt) return 'disabled'
  if (hasExpired(key, now)) return 'expired'
  if (key.notBefore && key.notBefore > now) return 'scheduled'
  return 'active'
}

/** Also of a key that is disabled, which is the stronger state. */
export function hasExpired(key: Key, now: Date): boolean {
  return key.expiresAt !== null && key.expiresAt <= now
}

/** Whether two secrets of a key work: what is revoked has none. */
export function overlapIsOpen<K extends Key>(key: K, now: Date): key is K & { overlapEndsAt: Date } {
  return key.revokedAt === null && key.overlapEndsAt !== null && key.overlapEndsAt > now
}
