import type { Request } from 'express'
import type { Context } from '../core/context.ts'
import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import type { McpAccess } from '../core/keys/key.ts'
import type { NewKey } from '../core/keys/lifecycle.ts'
import { checkScopes, DEFAULT_SCOPES, MANAGEMENT_SCOPES } from '../core/keys/scopes.ts'
import { invalid } from '../core/refusal.ts'
import { oneOf, several, text, ticked, whole } from './form.ts'

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
    expiresAt: text(req, 'expires_at') || 'never',
    expiresOn: text(req, 'expires_on'),
    allowInUrl: ticked(req, 'allow_in_url'),
    ipAllow: text(req, 'ip_allow'),
    notBefore: text(req, 'not_before'),
    rateLimitPerMinute: text(req, 'rate_limit_per_minute'),
    quotaPerDay: text(req, 'quota_per_day'),
  }
}

export function readKeyForm(req: Request, now: Date): NewKey {
  const form = typedForm(req)
  return {
    name: form.name,
    description: form.description,
    environment: oneOf(req, 'environment', ['live', 'test'] as const, 'live'),
    type: oneOf(req, 'type', ['restricted', 'unrestricted'] as const, 'restricted'),
    scopes: scopesIn(form),
    mcpAccess: accessIn(form, oneOf(req, 'mcp_access', ['all', 'selected'] as const, 'all')),
    expiresAt: expiryIn(form, now),
    notBefore: readNotBefore(form.notBefore || null),
    ipAllow: lines(form.ipAllow),
    allowInUrl: form.allowInUrl,
    rateLimitPerMinute: whole(req, 'rate_limit_per_minute'),
    quotaPerDay: whole(req, 'quota_per_day'),
  }
}

function scopesIn({ type, scopes, moreScopes }: KeyForm): string[] | null {
  const typed = lines(moreScopes)
  if (typed.length > 0) checkScopes(typed, 'more_scopes')
  const all = [...scopes, ...typed]
  if (all.length === 0 && type === 'unrestricted') return null
  if (all.length === 0) throw invalid('scopes', 'Tick at least one thing that the key may do.')
  return all
}

/** An MCP without any of its tools ticked means all its tools. */
function accessIn({ mcps, tools }: KeyForm, mode: McpAccess['mode']): McpAccess {
  if (mode === 'all') return { mode }
  if (mcps.length === 0) throw invalid('mcp_access', 'Tick at least one MCP server, or choose all.')
  return {
    mode,
    mcps: mcps.map((slug) => {
      const own = tools.filter((tool) => tool.startsWith(`${slug}:`)).map((tool) => tool.slice(slug.length + 1))
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

/** What there is to choose from, with a sentence for each. */
export async function offersFor(ctx: Context, workspaceId: string) {
  const mcps = await Promise.all(
    (await ctx.store.mcps.list(workspaceId)).map(async ({ id, slug, name, targets }) => {
      const known = (await ctx.store.mcps.offer(id, 'live')) ?? (await ctx.store.mcps.offer(id, 'test'))
      const tools = known?.offer.tools.map((tool) => tool.name) ?? []
      return { slug, name, hasTest: targets.test !== null, tools }
    }),
  )
  const whole = mcps.map(({ slug, name }) => ({ value: `mcp:${slug}:*`, hint: `Everything that ${name} offers.` }))
  return {
    mcps,
    scopes: [
      {
        title: 'Tools, prompts and resources',
        items: [
          {
            value: 'mcp:*',
            hint: 'Every tool, prompt and resource of the MCP servers that it reaches.',
            recommended: true,
          },
          ...whole,
        ],
      },
      { title: 'Documentation', items: managing((scope) => scope.startsWith('repo:')) },
      { title: 'Management over REST', management: true, items: managing((scope) => !scope.startsWith('repo:')) },
    ],
  }
}

function managing(wanted: (scope: string) => boolean) {
  return Object.entries(MANAGEMENT_SCOPES)
    .filter(([scope]) => wanted(scope))
    .map(([value, hint]) => ({ value, hint }))
}
