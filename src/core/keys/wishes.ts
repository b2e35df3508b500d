import type { Caller } from '../caller.ts'
import { isOneLine } from '../one-line.ts'
import { invalid } from '../refusal.ts'
import type { KeyChange } from '../store.ts'
import { checkAccess } from './access.ts'
import { checkRanges } from './addresses.ts'
import type { Reach } from './bounds.ts'
import type { Environment, KeyType, McpAccess } from './key.ts'
import { checkScopes, DEFAULT_SCOPES, isMcpScope } from './scopes.ts'

export const DEFAULT_RATE = 600
export const MOST_RATE = 1_000_000
export const LONGEST_NAME = 100
export const LONGEST_DESCRIPTION = 1000
export const LONGEST_REASON = 500

/** What may be wished for a new key. Undefined and null alike mean: left out. */
export type NewKey = {
  name: string
  description?: string | null
  environment?: Environment | null
  type?: KeyType | null
  scopes?: string[] | null
  mcpAccess?: McpAccess | null
  ipAllow?: string[] | null
  rateLimitPerMinute?: number | null
  quotaPerDay?: number | null
  allowInUrl?: boolean | null
  notBefore?: Date | null
  expiresAt?: Date | null
}

export type KeyEdit = Partial<Omit<NewKey, 'environment'>>

/** A program hands down its own bounds where the wish leaves them out. */
export function reachOf(wanted: NewKey, caller: Caller): Reach {
  const own = caller.kind === 'program' ? caller.key : null
  const handedDown = own?.scopes.filter(isMcpScope)
  return {
    environment: wanted.environment ?? own?.environment ?? 'live',
    type: wanted.type ?? 'restricted',
    scopes: checkScopes(wanted.scopes ?? (handedDown?.length ? handedDown : DEFAULT_SCOPES)),
    mcpAccess: checkAccess(wanted.mcpAccess ?? own?.mcpAccess ?? { mode: 'all' }),
    ipAllow: checkRanges(wanted.ipAllow ?? own?.ipAllow ?? []),
    rateLimitPerMinute: checkRate(
      wanted.rateLimitPerMinute ?? Math.min(own?.rateLimitPerMinute ?? DEFAULT_RATE, DEFAULT_RATE),
    ),
    quotaPerDay: checkQuota(wanted.quotaPerDay ?? own?.quotaPerDay ?? null),
    allowInUrl: wanted.allowInUrl ?? false,
    expiresAt: wanted.expiresAt ?? own?.expiresAt ?? null,
  }
}

/** Only what is named changes; null takes back what can be left out. */
export function changeOf(wanted: KeyEdit): KeyChange {
  const change: KeyChange = {}
  if (wanted.name != null) change.name = checkName(wanted.name)
  if (wanted.description !== undefined) change.description = checkDescription(wanted.description)
  if (wanted.type != null) change.type = wanted.type
  if (wanted.scopes != null) change.scopes = checkScopes(wanted.scopes)
  if (wanted.mcpAccess != null) change.mcpAccess = checkAccess(wanted.mcpAccess)
  if (wanted.ipAllow !== undefined) change.ipAllow = checkRanges(wanted.ipAllow ?? [])
  if (wanted.rateLimitPerMinute !== undefined)
    change.rateLimitPerMinute = checkRate(wanted.rateLimitPerMinute ?? DEFAULT_RATE)
  if (wanted.quotaPerDay !== undefined) change.quotaPerDay = checkQuota(wanted.quotaPerDay)
  if (wanted.allowInUrl != null) change.allowInUrl = wanted.allowInUrl
  if (wanted.notBefore !== undefined) change.notBefore = wanted.notBefore
  if (wanted.expiresAt !== undefined) change.expiresAt = wanted.expiresAt
  return change
}

export function checkName(name: string): string {
  const trimmed = name.trim()
  if (trimmed.length < 1 || [...trimmed].length > LONGEST_NAME || !isOneLine(trimmed))
    throw invalid('name', `Give the key a name of 1 to ${LONGEST_NAME} characters, on one line.`)
  return trimmed
}

export function checkDescription(description: string | null | undefined): string | null {
  return textUpTo(LONGEST_DESCRIPTION, description, 'description', 'The description')
}

export function checkReason(reason: string | null | undefined): string | null {
  return textUpTo(LONGEST_REASON, reason?.trim(), 'reason', 'The reason')
}

/** Counts characters as people do, not UTF-16 units. */
function textUpTo(most: number, text: string | null | undefined, field: string, what: string): string | null {
  if (text && [...text].length > most) throw invalid(field, `${what} has at most ${most} characters.`)
  return text || null
}

function checkRate(rate: number): number {
  if (!Number.isInteger(rate) || rate < 1 || rate > MOST_RATE)
    throw invalid('rate_limit_per_minute', `The rate limit is a whole number from 1 to ${MOST_RATE}.`)
  return rate
}

function checkQuota(quota: number | null): number | null {
  if (quota !== null && (!Number.isSafeInteger(quota) || quota < 1))
    throw invalid('quota_per_day', 'The quota is a whole number from 1 up, or left out for none.')
  return quota
}
