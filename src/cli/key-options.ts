import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import type { McpAccess, McpGrant } from '../core/keys/key.ts'
import type { KeyEdit } from '../core/keys/wishes.ts'
import { type Input, type Option, UsageError } from './command.ts'
import { oneOf, wholeNumber } from './input.ts'

export const ENVIRONMENTS = ['live', 'test'] as const
export const TYPES = ['restricted', 'unrestricted'] as const

/** What a key may be given when it is made, and later. */
export const KEY_OPTIONS: Record<string, Option> = {
  description: { value: 'TEXT', about: 'What the key is for.' },
  type: { value: 'TYPE', about: 'restricted: the scopes decide; unrestricted: every tool of its MCPs (restricted).' },
  scope: { value: 'SCOPE', many: true, about: 'What it may do, such as mcp:*, mcp:docs:search, keys:read (mcp:*).' },
  mcp: { value: 'SLUG[:TOOL,TOOL]', many: true, about: 'Only these MCPs, and of each only these tools.' },
  'all-mcps': { about: 'Every MCP, those added later too (so unless --mcp is given).' },
  ip: { value: 'ADDRESS', many: true, about: 'Only from these addresses or CIDR ranges (any).' },
  rate: { value: 'N', about: 'Most requests a minute (600).' },
  quota: { value: 'N', about: 'Most calls a day (none).' },
  'allow-in-url': { about: 'May be sent in a URL of an MCP endpoint, for clients that know no headers.' },
  'not-before': { value: 'DATE', about: 'Valid from this day or time on, UTC (now).' },
  expires: { value: 'WHEN', about: 'A span such as 90d, a day or time such as 2027-03-31, or never (never).' },
}

/** How to take back what was given. */
export const EDIT_OPTIONS: Record<string, Option> = {
  ...KEY_OPTIONS,
  ip: { ...KEY_OPTIONS.ip!, about: 'Only from these addresses or CIDR ranges, instead of those before; any for all.' },
  scope: { ...KEY_OPTIONS.scope!, about: 'What it may do, instead of what it could before.' },
  mcp: { ...KEY_OPTIONS.mcp!, about: 'Only these MCPs and tools, instead of those before.' },
  'all-mcps': { about: 'Every MCP, those added later too.' },
  type: { value: 'TYPE', about: 'restricted or unrestricted.' },
  description: { value: 'TEXT', about: "What the key is for; '' for nothing." },
  rate: { value: 'N', about: 'Most requests a minute.' },
  quota: { value: 'N', about: 'Most calls a day; none for no limit.' },
  'no-allow-in-url': { about: 'May not be sent in a URL.' },
  'not-before': { value: 'DATE', about: 'Valid from this day or time on, UTC; now to end the wait.' },
  expires: { value: 'WHEN', about: 'A span such as 90d from now, a day or time such as 2027-03-31, or never.' },
}

/** What was typed about a key; what was not typed is left undefined. */
export function readWishes(input: Input): KeyEdit {
  const { texts, text } = input
  return {
    name: text('name'),
    description: text('description'),
    type: oneOf(input, 'type', TYPES),
    scopes: texts('scope')?.flatMap((scopes) => scopes.split(',').map((scope) => scope.trim())),
    mcpAccess: readAccess(input),
    ipAllow: readAddresses(texts('ip')),
    rateLimitPerMinute: wholeNumber(input, 'rate'),
    quotaPerDay: text('quota') === 'none' ? null : wholeNumber(input, 'quota'),
    allowInUrl: readAllowInUrl(input),
    notBefore: given(text('not-before'), (when) => (when === 'now' ? null : readNotBefore(when))),
    expiresAt: given(text('expires'), (when) => readExpiry(when, input.world.now())),
  }
}

function given<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text)
}

function readAddresses(given: string[] | undefined): string[] | undefined {
  const addresses = given?.flatMap((ranges) => ranges.split(',').map((range) => range.trim()))
  if (addresses?.includes('any') && addresses.length > 1)
    throw new UsageError('--ip any allows every address: give it alone, or only addresses.')
  return addresses?.[0] === 'any' ? [] : addresses
}

function readAllowInUrl(input: Input): boolean | undefined {
  const [yes, no] = [input.on('allow-in-url'), input.on('no-allow-in-url')]
  if (yes && no) throw new UsageError('Give --allow-in-url or --no-allow-in-url, not both.')
  return yes ? true : no ? false : undefined
}

function readAccess(input: Input): McpAccess | undefined {
  const selected = input.texts('mcp')
  if (selected && input.on('all-mcps')) throw new UsageError('Give --mcp or --all-mcps, not both.')
  if (selected) return { mode: 'selected', mcps: selected.map(readGrant) }
  return input.on('all-mcps') ? { mode: 'all' } : undefined
}

/** `docs` for all its tools, `docs:search,get_doc` for two of them. */
export function readGrant(text: string): McpGrant {
  const colon = text.indexOf(':')
  if (colon < 0) return { slug: text, tools: null }
  const tools = text
    .slice(colon + 1)
    .split(',')
    .map((tool) => tool.trim())
  if (tools.includes('')) throw new UsageError(`--mcp is "${text}". Name tools after the colon, or leave it out.`)
  return { slug: text.slice(0, colon), tools }
}
