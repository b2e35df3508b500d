import type { Key } from './key.ts'
import { isMcpScope } from './scopes.ts'

export type LeftBehind = Pick<Key, 'ownerId' | 'scopes' | 'disabledAt'>

/**
 * What becomes of the key of somebody who leaves; null if nothing. They still know it, so it brings its heir's power to
 * manage the workspace to nobody: one that can do nothing else is disabled, and not inherited.
 */
export function leftBehind(key: Key, heir: string | null, now: Date): LeftBehind | null {
  const scopes = key.scopes.filter((scope) => isMcpScope(scope) || scope.startsWith('repo:'))
  if (heir && scopes.length > 0) return { ownerId: heir, scopes, disabledAt: key.disabledAt }
  if (key.disabledAt || key.revokedAt) return null
  return { ownerId: key.ownerId, scopes: key.scopes, disabledAt: now }
}
