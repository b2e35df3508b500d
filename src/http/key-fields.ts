import * as z from 'zod'
import { checkAccess } from '../core/keys/access.ts'
import { checkRanges } from '../core/keys/addresses.ts'
import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import { checkScopes, MANAGEMENT_SCOPES } from '../core/keys/scopes.ts'
import { checkName, LONGEST_DESCRIPTION, LONGEST_NAME, MOST_RATE } from '../core/keys/wishes.ts'
import { SLUG } from '../core/slug.ts'
import { ruled, ruledText } from './rules.ts'

/** What may be said about a key, one field each. */

const MOST_ENTRIES = 200

export const slug = z.string().regex(SLUG, { error: 'A slug is 1 to 32 of a-z, 0-9 and -.' })
export const tool = z.string().min(1).max(256)

export const name = ruled(z.string().trim(), checkName).meta({
  description: 'Need not be unique.',
  example: 'laptop',
  minLength: 1,
  maxLength: LONGEST_NAME,
})
export const description = characters(
  0,
  LONGEST_DESCRIPTION,
  z.string(),
  `The description has at most ${LONGEST_DESCRIPTION} characters.`,
).meta({ description: 'For people.', maxLength: LONGEST_DESCRIPTION })

export const scopes = ruled(z.array(z.string()).max(MOST_ENTRIES), checkScopes).meta({
  description: [
    '`mcp:*`, `mcp:<tool>`, `mcp:<slug>:*`, `mcp:<slug>:<tool>`, or a management scope:',
    ...Object.entries(MANAGEMENT_SCOPES).map(([scope, about]) => `- \`${scope}\`: ${about}`),
  ].join('\n'),
  example: ['mcp:docs:search'],
})

const grant = z.strictObject({
  slug,
  tools: z.array(tool).max(1000).nullable().default(null).meta({ description: 'Null: all of them.' }),
})
export const mcpAccess = ruled(
  z.discriminatedUnion(
    'mode',
    [
      z.strictObject({ mode: z.literal('all') }),
      z.strictObject({ mode: z.literal('selected'), mcps: z.array(grant).max(MOST_ENTRIES) }),
    ],
    { error: 'Write {"mode": "all"} or {"mode": "selected", "mcps": [{"slug": "docs"}]}.' },
  ),
  checkAccess,
).meta({
  description: 'The MCPs that the key reaches. `all` includes those added later.',
  example: { mode: 'selected', mcps: [{ slug: 'docs', tools: ['search'] }] },
})
export const ipAllow = ruled(z.array(z.string()).max(MOST_ENTRIES), checkRanges).meta({
  description: 'Addresses and ranges (CIDR) that the key may be used from; none: from anywhere.',
  example: ['203.0.113.7', '10.0.0.0/8'],
})
export const rate = z
  .int()
  .min(1)
  .max(MOST_RATE)
  .meta({ description: 'Most requests in any 60 seconds.', example: 600 })
export const quota = z.int().min(1).meta({ description: 'Most calls in a day, UTC. Null: no quota.', example: 10_000 })
export const allowInUrl = z.boolean().meta({
  description:
    'Whether MCP endpoints take the key as `?api_key=` as well. URLs end up in logs: for clients that can do no better.',
})

/** Read against the clock: what is a good end today is none tomorrow. */
const expiry = (now: Date, never: string) =>
  ruledText((text) => readExpiry(text, now)).meta({
    description: `An instant, a date (the end of that day, UTC), a span such as \`90d\`, or \`never\`, ${never}.`,
    example: '90d',
  })
export const firstExpiry = (now: Date) => expiry(now, 'which for a calling key that ends means: with that key')
export const laterExpiry = (now: Date) => expiry(now, 'which a calling key that ends may not give')
export const notBefore = () =>
  ruledText((text) => readNotBefore(text)).meta({
    description: 'When the key begins to be valid: an instant, or a date (the beginning of that day, UTC).',
    example: '2027-01-01',
  })

/** Counts characters as people do, not UTF-16 units. */
export function characters(least: number, most: number, text: z.ZodString, sentence: string) {
  return text.refine((value) => value.length >= least && [...value].length <= most, sentence)
}
