import type { Request } from 'express'
import { checkRanges } from '../core/keys/addresses.ts'
import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import type { Key, McpAccess } from '../core/keys/key.ts'
import type { NewKey } from '../core/keys/lifecycle.ts'
import { checkScopes, DEFAULT_SCOPES } from '../core/keys/scopes.ts'
import { type FieldError, invalid, Refusal } from '../core/refusal.ts'
import { oneOf, several, text, ticked, whole } from './form.ts'
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
export function formOf(key: Key, { scopes, mcps }: Offers): KeyForm {
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
    mcpAccess: mcps.length > 0 || grants.length > 0 ? key.mcpAccess.mode : 'all',
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
const KEPT = 'kept'

function dayOf(date: Date | null): string {
  return date?.toISOString().slice(0, 10) ?? ''
}

/** Everything that is wrong, each by its field. `key`: the issued one that the form changes. */
export function readKeyForm(req: Request, now: Date, key?: Key): NewKey {
  const form = typedForm(req)
  const wrong: FieldError[] = []
  const read = <T>(part: () => T): T | undefined => orNote(part, wrong)
  const wanted = {
    name: form.name,
    description: form.description,
    environment: read(() => oneOf(req, 'environment', ['live', 'test'] as const, 'live')),
    type: read(() => oneOf(req, 'type', ['restricted', 'unrestricted'] as const, 'restricted')),
    scopes: read(() => scopesIn(form)),
    mcpAccess: read(() => accessIn(form, oneOf(req, 'mcp_access', ['all', 'selected'] as const, 'all'))),
    expiresAt: key && form.expiresAt === KEPT ? undefined : read(() => expiryIn(form, now)),
    notBefore:
      key && form.notBefore === dayOf(key.notBefore) ? undefined : read(() => readNotBefore(form.notBefore || null)),
    ipAllow: read(() => checkRanges(lines(form.ipAllow))),
    allowInUrl: form.allowInUrl,
    rateLimitPerMinute: read(() => whole(req, 'rate_limit_per_minute')),
    quotaPerDay: read(() => whole(req, 'quota_per_day')),
  }
  if (wrong.length > 0) throw new Refusal('validation_failed', 'Some answers are not right.', { errors: wrong })
  return wanted
}

function orNote<T>(part: () => T, wrong: FieldError[]): T | undefined {
  try {
    return part()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    wrong.push(...error.errors)
    return undefined
  }
}

function scopesIn({ type, scopes, moreScopes }: KeyForm): string[] | null {
  const typed = lines(moreScopes)
  if (typed.length > 0) checkScopes(typed, 'more_scopes')
  if (scopes.length > 0) checkScopes(scopes)
  const all = [...scopes, ...typed]
  if (all.length === 0 && type === 'unrestricted') return null
  if (all.length === 0) throw invalid('scopes', 'Tick at least one thing that the key may do.')
  return all
}

/** An MCP without any of its tools ticked means all its tools. */
function accessIn({ mcps, tools, toolsOf }: KeyForm, mode: McpAccess['mode']): McpAccess {
  if (mode === 'all') return { mode }
  if (mcps.length === 0) throw invalid('mcp_access', 'Tick at least one MCP server, or choose all.')
  return {
    mode,
    mcps: mcps.map((slug) => {
      const boxes = tools.filter((tool) => tool.startsWith(`${slug}:`)).map((tool) => tool.slice(slug.length + 1))
      const own = [...boxes, ...lines(toolsOf[slug] ?? '')]
      return { slug, tools: own.length > 0 ? own : null }
    }),
  }
}

function expiryIn({ expiresAt, expiresOn }: KeyForm, now: Date): Date | null {
  if (expiresAt !== 'date') return readExpiry(expiresAt, now)
  if (expiresOn === '') throw invalid('expires_on', 'Choose the last day, or another expiry.')
  return readExpiry(expiresOn, now, 'expires_on')
}

function lines(typed: string): string[] {
  return typed.split(/[\s,]+/).filter(Boolean)
}
