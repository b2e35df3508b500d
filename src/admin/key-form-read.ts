import type { Request } from 'express'
import { checkRanges } from '../core/keys/addresses.ts'
import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import type { Key, McpAccess } from '../core/keys/key.ts'
import { checkScopes, DEFAULT_SCOPES } from '../core/keys/scopes.ts'
import type { NewKey } from '../core/keys/wishes.ts'
import { type FieldError, invalid, Refusal } from '../core/refusal.ts'
import { oneOf, whole } from './form.ts'
import { dayOf, KEPT, type KeyForm, typedForm } from './key-form.ts'

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
    scopes: read(() => scopesIn(form, key)),
    mcpAccess: read(() => accessIn(form, oneOf(req, 'mcp_access', ['all', 'selected'] as const, 'all'), key)),
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

/** Left out for a new key; of an issued one, what was ticked before goes: an unrestricted one then manages nothing. */
function scopesIn({ type, scopes, moreScopes }: KeyForm, key: Key | undefined): string[] | null {
  const typed = lines(moreScopes)
  if (typed.length > 0) checkScopes(typed, 'more_scopes')
  if (scopes.length > 0) checkScopes(scopes)
  const all = [...scopes, ...typed]
  if (all.length === 0 && type === 'unrestricted') return key ? [...DEFAULT_SCOPES] : null
  if (all.length === 0) throw invalid('scopes', 'Tick at least one thing that the key may do.')
  return all
}

/** An MCP without any of its tools ticked means all its tools, except where a key is limited to some of them. */
function accessIn({ mcps, tools, toolsOf, allTools }: KeyForm, mode: McpAccess['mode'], key?: Key): McpAccess {
  if (mode === 'all') return { mode }
  const held = key?.mcpAccess.mode === 'selected' ? key.mcpAccess.mcps : null
  if (mcps.length === 0 && held?.length !== 0)
    throw invalid('mcp_access', 'Tick at least one MCP server, or choose all.')
  return {
    mode,
    mcps: mcps.map((slug) => {
      const boxes = tools.filter((tool) => tool.startsWith(`${slug}:`)).map((tool) => tool.slice(slug.length + 1))
      const own = [...boxes, ...lines(toolsOf[slug] ?? '')]
      if (allTools.includes(slug)) return { slug, tools: null }
      if (own.length === 0 && held?.some((grant) => grant.slug === slug && grant.tools))
        throw invalid('mcp_access', `Tick a tool of ${slug}, or all of them, or untick the server.`)
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
