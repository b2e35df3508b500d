export const ROLES = ['viewer', 'member', 'admin', 'owner'] as const
export type Role = (typeof ROLES)[number]

/** What a door may ask for, and the least role that has it. The contract's table of roles. */
const LEAST_ROLE = {
  'workspace.see': 'viewer',
  'keys.see': 'viewer',
  'mcps.see': 'viewer',
  'repos.see': 'viewer',
  'usage.see': 'viewer',
  'members.see': 'viewer',
  'keys.issue': 'member',
  'keys.all': 'admin',
  'mcps.change': 'admin',
  'repos.change': 'admin',
  'webhooks.change': 'admin',
  'audit.read': 'admin',
  'members.change': 'admin',
  'workspace.rename': 'admin',
  'owners.change': 'owner',
  'workspace.delete': 'owner',
} as const satisfies Record<string, Role>

export type Power = keyof typeof LEAST_ROLE

/** Owners are made and unmade by owners alone. */
export function powerOver(role: Role): Power {
  return role === 'owner' ? 'owners.change' : 'members.change'
}

export function roleHas(role: Role | null, power: Power): boolean {
  const least = ROLES.indexOf(LEAST_ROLE[power])
  return role !== null && least >= 0 && ROLES.indexOf(role) >= least
}
