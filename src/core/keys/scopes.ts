import { invalid } from '../refusal.ts'
import { SLUG } from '../slug.ts'
import type { Key } from './key.ts'

/** Each management power, and the sentence the form shows beside it. */
export const MANAGEMENT_SCOPES = {
  'repo:read': 'Read documentation repos and their files.',
  'repo:write': 'Add, change and remove documentation repos.',
  'keys:read': 'List keys and check the keys of your customers.',
  'keys:write': 'Issue, change and revoke keys within its own powers.',
  'mcps:read': 'List MCP servers and their tools.',
  'mcps:write': 'Add, change and remove MCP servers over HTTP.',
  'usage:read': 'Read usage, activity and explanations of refusals.',
  'audit:read': 'Read and verify the audit log.',
  'webhooks:write': 'Manage webhooks.',
} as const

export type ManagementScope = keyof typeof MANAGEMENT_SCOPES
export const DEFAULT_SCOPES: readonly string[] = ['mcp:*']

const SEGMENT = /^(\*|[A-Za-z0-9_][A-Za-z0-9_.\-/]{0,127})$/

/** Refuses an unknown scope by name, so that a typing error never becomes a silent lack of power. */
export function checkScopes(scopes: readonly string[], field = 'scopes'): string[] {
  if (scopes.length === 0) throw invalid(field, 'Name at least one scope, or leave scopes out for mcp:*.')
  for (const scope of scopes) if (!isScope(scope)) throw invalid(field, `"${scope}" is no scope. ${hint(scope)}`)
  return [...new Set(scopes)]
}

function isScope(scope: string): boolean {
  if (Object.hasOwn(MANAGEMENT_SCOPES, scope)) return true
  const [family, first, second] = segments(scope)
  if (family !== 'mcp' || first === undefined) return false
  if (second === undefined) return SEGMENT.test(first)
  return SLUG.test(first) && SEGMENT.test(second)
}

function hint(scope: string): string {
  return scope.startsWith('mcp')
    ? 'Write mcp:*, mcp:<tool>, mcp:<slug>:* or mcp:<slug>:<tool>; * stands only for a whole segment.'
    : `The others are ${Object.keys(MANAGEMENT_SCOPES).join(', ')}.`
}

function segments(scope: string): string[] {
  const [family, first, ...rest] = scope.split(':')
  return rest.length > 0 ? [family!, first!, rest.join(':')] : first === undefined ? [family!] : [family!, first]
}

/** Management powers are always named one by one; `unrestricted` adds repo:* alone. */
export function hasScope(key: Pick<Key, 'type' | 'scopes'>, wanted: ManagementScope): boolean {
  if (key.scopes.includes(wanted)) return true
  return key.type === 'unrestricted' && wanted.startsWith('repo:')
}

export function isMcpScope(scope: string): boolean {
  return scope.startsWith('mcp:')
}

/** Whether everything `wanted` opens is opened by one of `granted`. */
export function covers(granted: readonly string[], wanted: string): boolean {
  return granted.some((scope) => scope === wanted || opens(segments(scope), segments(wanted)))
}

function opens([family, first, second]: string[], [wantedFamily, wantedFirst, wantedSecond]: string[]): boolean {
  if (family !== 'mcp' || wantedFamily !== 'mcp') return false
  if (first === '*' && second === undefined) return true
  if (second === undefined) return wantedSecond !== undefined && wantedSecond === first // mcp:tool opens mcp:slug:tool
  return first === wantedFirst && wantedSecond !== undefined && (second === '*' || second === wantedSecond)
}

/** Whether the scopes let a tool of an MCP be called; `null` stands for its prompts and resources. */
export function opensTool(key: Pick<Key, 'type' | 'scopes'>, slug: string, tool: string | null): boolean {
  if (key.type === 'unrestricted') return true
  return key.scopes.some((scope) => {
    if (scope === 'mcp:*' || scope === `mcp:${slug}:*`) return true
    if (tool === null) return false
    return scope === `mcp:${slug}:${tool}` || (!tool.includes(':') && scope === `mcp:${tool}`)
  })
}
