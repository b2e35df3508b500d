import { Refusal } from '../refusal.ts'
import { rangeWithin } from './addresses.ts'
import type { Key, McpAccess } from './key.ts'
import { covers, isMcpScope } from './scopes.ts'

/** What decides how far a key reaches. */
export type Reach = Pick<
  Key,
  | 'environment'
  | 'type'
  | 'scopes'
  | 'mcpAccess'
  | 'ipAllow'
  | 'expiresAt'
  | 'rateLimitPerMinute'
  | 'quotaPerDay'
  | 'allowInUrl'
>

/** Whether two readings of a key let it do the same: only then may what began under one go on under the other. */
export function sameReach(one: Key, other: Key): boolean {
  return one.revision === other.revision || JSON.stringify(decisive(one)) === JSON.stringify(decisive(other))
}

function decisive({ name: _n, description: _d, hint: _h, overlapEndsAt: _o, revision: _r, ...rest }: Key): object {
  return { ...rest, secret: null }
}

/** A key never makes or changes a key that reaches further than itself. */
export function checkWithin(own: Reach, wanted: Reach): void {
  const beyond = firstBeyond(own, wanted)
  if (beyond) throw new Refusal('forbidden', `A key cannot give or change what it does not have itself: ${beyond}.`)
}

function firstBeyond(own: Reach, wanted: Reach): string | null {
  if (wanted.environment !== own.environment) return 'another environment'
  if (wanted.type === 'unrestricted' && own.type !== 'unrestricted') return 'unrestricted use'
  const scope = wanted.scopes.find(
    (scope) => !(own.type === 'unrestricted' && mayPassOn(scope)) && !covers(own.scopes, scope),
  )
  if (scope) return `the scope ${scope}`
  if (!accessWithin(own.mcpAccess, wanted.mcpAccess)) return 'MCP access'
  if (
    own.ipAllow.length > 0 &&
    (wanted.ipAllow.length === 0 || wanted.ipAllow.some((range) => !rangeWithin(own.ipAllow, range)))
  )
    return 'addresses'
  if (own.expiresAt && (!wanted.expiresAt || wanted.expiresAt > own.expiresAt)) return 'a longer life'
  if (wanted.rateLimitPerMinute > own.rateLimitPerMinute) return 'a higher rate limit'
  if (own.quotaPerDay !== null && (wanted.quotaPerDay === null || wanted.quotaPerDay > own.quotaPerDay))
    return 'a higher quota'
  if (wanted.allowInUrl && !own.allowInUrl) return 'use in URLs'
  return null
}

function mayPassOn(scope: string): boolean {
  return isMcpScope(scope) || scope.startsWith('repo:')
}

function accessWithin(own: McpAccess, wanted: McpAccess): boolean {
  if (own.mode === 'all') return true
  if (wanted.mode === 'all') return false
  return wanted.mcps.every(({ slug, tools }) => {
    const held = own.mcps.find((grant) => grant.slug === slug)
    if (!held || held.tools === null) return held !== undefined
    return tools?.every((tool) => held.tools!.includes(tool)) ?? false
  })
}
