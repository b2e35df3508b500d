import type { Request } from 'express'
import type { Key } from '../core/keys/key.ts'
import { DEFAULT_SCOPES } from '../core/keys/scopes.ts'
import { several, text, ticked } from './form.ts'
import type { Offers } from './key-offers.ts'

const BLANK = {
  name: '',
  description: '',
  environment: 'live',
  type: 'restricted',
  scopes: [...DEFAULT_SCOPES],
  moreScopes: '',
  mcpAccess: 'all',
  mcps: [] as string[],
  tools: [] as string[],
  /** Typed by hand, for servers that have not told what they offer. */
  toolsOf: {} as Record<string, string>,
  /** Of these servers every tool, where a key had some of them before. */
  allTools: [] as string[],
  expiresAt: '90d',
  expiresOn: '',
  allowInUrl: false,
  ipAllow: '',
  notBefore: '',
  rateLimitPerMinute: '',
  quotaPerDay: '',
}

export type KeyForm = typeof BLANK

export function blankForm(): KeyForm {
  return BLANK
}

/** As it was typed, to be shown again. */
export function typedForm(req: Request): KeyForm {
  return {
    name: text(req, 'name'),
    description: text(req, 'description'),
    environment: text(req, 'environment') || BLANK.environment,
    type: text(req, 'type') || BLANK.type,
    scopes: several(req, 'scopes'),
    moreScopes: text(req, 'more_scopes'),
    mcpAccess: text(req, 'mcp_access') || BLANK.mcpAccess,
    mcps: several(req, 'mcps'),
    tools: several(req, 'tools'),
    toolsOf: Object.fromEntries(several(req, 'mcps').map((slug) => [slug, text(req, `tools_of_${slug}`)])),
    allTools: several(req, 'all_tools'),
    expiresAt: text(req, 'expires_at') || 'never',
    expiresOn: text(req, 'expires_on'),
    allowInUrl: ticked(req, 'allow_in_url'),
    ipAllow: text(req, 'ip_allow'),
    notBefore: text(req, 'not_before'),
    rateLimitPerMinute: text(req, 'rate_limit_per_minute'),
    quotaPerDay: text(req, 'quota_per_day'),
  }
}

/** An issued key as the form shows it. What the form has no box for is written out. */
export function formOf(key: Key, { scopes }: Offers): KeyForm {
  const boxes = new Set(scopes.flatMap(({ items }) => items.map(({ value }) => value)))
  const grants = key.mcpAccess.mode === 'selected' ? key.mcpAccess.mcps : []
  return {
    ...BLANK,
    name: key.name,
    description: key.description ?? '',
    environment: key.environment,
    type: key.type,
    scopes: key.scopes.filter((scope) => boxes.has(scope)),
    moreScopes: key.scopes.filter((scope) => !boxes.has(scope)).join('\n'),
    mcpAccess: key.mcpAccess.mode,
    mcps: grants.map(({ slug }) => slug),
    tools: grants.flatMap(({ slug, tools }) => tools?.map((tool) => `${slug}:${tool}`) ?? []),
    expiresAt: KEPT,
    expiresOn: dayOf(key.expiresAt),
    allowInUrl: key.allowInUrl,
    ipAllow: key.ipAllow.join('\n'),
    notBefore: dayOf(key.notBefore),
    rateLimitPerMinute: String(key.rateLimitPerMinute),
    quotaPerDay: String(key.quotaPerDay ?? ''),
  }
}

/** The end that an issued key has, to the second: a day alone would move it. */
export const KEPT = 'kept'

export function dayOf(date: Date | null): string {
  return date?.toISOString().slice(0, 10) ?? ''
}
