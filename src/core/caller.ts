import type { Actor } from './audit.ts'
import type { Key } from './keys/key.ts'
import { hasScope, type ManagementScope } from './keys/scopes.ts'
import { Refusal } from './refusal.ts'
import { type Power, type Role, roleHas } from './workspaces/roles.ts'
import type { User } from './workspaces/workspace.ts'

/** Who asks, and what bounds them. A program's role is its owner's at this moment, null once they have left. */
export type Caller =
  | { kind: 'operator'; actor: Actor }
  | { kind: 'person'; actor: Actor; user: User; role: Role }
  | { kind: 'program'; actor: Actor; key: Key; role: Role | null }

/** What a program needs beside its owner's role; null: never by API key. */
export const SCOPE_FOR: Record<Power, ManagementScope | null> = {
  'workspace.see': null,
  'keys.see': 'keys:read',
  'keys.issue': 'keys:write',
  'keys.all': 'keys:write',
  'mcps.see': 'mcps:read',
  'usage.see': 'usage:read',
  'mcps.change': 'mcps:write',
  'repos.see': 'repo:read',
  'repos.change': 'repo:write',
  'webhooks.change': 'webhooks:write',
  'audit.read': 'audit:read',
  'members.see': null,
  'members.change': null,
  'workspace.rename': null,
  'owners.change': null,
  'workspace.delete': null,
}

/** The one question every door asks. The operator sits on the host and may do everything. */
export function demand(caller: Caller, power: Power): void {
  if (caller.kind === 'operator') return
  if (caller.kind === 'program') {
    const scope = SCOPE_FOR[power]
    if (scope === null) throw new Refusal('forbidden', 'This cannot be done with an API key. Sign in to the pages.')
    if (!hasScope(caller.key, scope)) throw new Refusal('insufficient_scope', `This key lacks the scope ${scope}.`)
  }
  if (!roleHas(caller.role, power)) throw new Refusal('forbidden', whatIsMissing(caller, power))
}

export function mayDo(caller: Caller, power: Power): boolean {
  try {
    demand(caller, power)
    return true
  } catch {
    return false
  }
}

function whatIsMissing(caller: Caller & { kind: 'person' | 'program' }, power: Power): string {
  if (caller.kind === 'program') return 'The owner of this key may no longer do this in the workspace.'
  return power.startsWith('owners') || power === 'workspace.delete'
    ? 'Only an owner of this workspace may do this.'
    : `Your role (${caller.role}) does not allow this. Ask an admin of this workspace.`
}
