import { isIP } from 'node:net'
import * as z from 'zod'
import { ACTIONS } from '../core/audit.ts'
import { checkAccess } from '../core/keys/access.ts'
import { checkRanges } from '../core/keys/addresses.ts'
import { readExpiry, readNotBefore } from '../core/keys/expiry.ts'
import { MOST_RATE } from '../core/keys/lifecycle.ts'
import { checkScopes, MANAGEMENT_SCOPES } from '../core/keys/scopes.ts'
import type { ShownKey } from '../core/keys/shown.ts'
import { CODES, Refusal } from '../core/refusal.ts'
import { READ_ONLY } from './parse.ts'

/** The one contract of the REST door: what is checked, and what openapi.json says. */

const MOST_ENTRIES = 200

const environment = z.enum(['live', 'test'])
const type = z.enum(['restricted', 'unrestricted'])
const status = z.enum(['active', 'scheduled', 'expired', 'disabled', 'revoked'])
const time = z.string().meta({ format: 'date-time', example: '2027-03-31T23:59:59.999Z' })
const slug = z.string().regex(/^[a-z0-9-]{1,32}$/, { error: 'A slug is 1 to 32 of a-z, 0-9 and -.' })
const tool = z.string().min(1).max(256)

const name = lengthUpTo(100, z.string().trim(), 'Give the key a name of 1 to 100 characters.').meta({
  description: 'Need not be unique.',
  example: 'laptop',
  minLength: 1,
  maxLength: 100,
})
const description = z.string().max(2000).meta({ description: 'For people; up to 2,000 characters.' })

const scopes = ruled(z.array(z.string()).max(MOST_ENTRIES), checkScopes).meta({
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
const mcpAccess = ruled(
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
const ipAllow = ruled(z.array(z.string()).max(MOST_ENTRIES), checkRanges).meta({
  description: 'Addresses and ranges (CIDR) that the key may be used from; none: from anywhere.',
  example: ['203.0.113.7', '10.0.0.0/8'],
})
const rate = z.int().min(1).max(MOST_RATE).meta({ description: 'Most requests in any 60 seconds.', example: 600 })
const quota = z.int().min(1).meta({ description: 'Most calls in a day, UTC. Null: no quota.', example: 10_000 })
const allowInUrl = z.boolean().meta({
  description:
    'Whether MCP endpoints take the key as `?api_key=` as well. URLs end up in logs: for clients that can do no better.',
})

/** Read against the clock: what is a good end today is none tomorrow. */
const expiry = (now: Date) =>
  ruledText((text) => readExpiry(text, now)).meta({
    description:
      'An instant, a date (the end of that day, UTC), a span such as `90d`, or `never`, which for a key that ends means: with the calling key.',
    example: '90d',
  })
const notBefore = () =>
  ruledText((text) => readNotBefore(text)).meta({
    description: 'When the key begins to be valid: an instant, or a date (the beginning of that day, UTC).',
    example: '2027-01-01',
  })

const SET_BY_US = 'This is set by Claviger and cannot be given.'
const FIXED = {
  ...Object.fromEntries(
    [
      ...['id', 'hint', 'key', 'workspace', 'workspace_id', 'owner_id', 'created_by', 'created_at', 'revision'],
      ...['last_used_at', 'last_used_ip', 'last_used_client', 'request_count', 'rotation'],
    ].map((name) => [name, SET_BY_US]),
  ),
  status: 'The status is not set: POST …/disable, …/enable or …/revoke changes it.',
  revoked_reason: 'Give the reason when you revoke the key: POST …/revoke {"reason": …}.',
}

/** `null` means left out. */
export const newKeyBody = (now: Date) =>
  z
    .strictObject({
      name,
      description: description.nullish(),
      environment: environment.nullish().meta({ description: 'Live unless told, or the one of the calling key.' }),
      type: type.nullish().meta({ description: 'Restricted unless told: `scopes` decide.' }),
      scopes: scopes.nullish(),
      mcp_access: mcpAccess.nullish(),
      ip_allow: ipAllow.nullish(),
      rate_limit_per_minute: rate.nullish(),
      quota_per_day: quota.nullish(),
      allow_in_url: allowInUrl.nullish(),
      not_before: notBefore().nullish(),
      expires_at: expiry(now).nullish(),
    })
    .register(READ_ONLY, FIXED)

export const keyChangeBody = (now: Date) =>
  z
    .strictObject({
      name: name.optional(),
      description: description.nullish(),
      type: type.optional(),
      scopes: scopes.optional(),
      mcp_access: mcpAccess.optional(),
      ip_allow: ipAllow.nullish(),
      rate_limit_per_minute: rate.nullish().meta({ description: 'Null: the default of 600.' }),
      quota_per_day: quota.nullish(),
      allow_in_url: allowInUrl.optional(),
      not_before: notBefore().nullish(),
      expires_at: expiry(now).nullish(),
    })
    .register(READ_ONLY, { ...FIXED, environment: 'The environment of a key stays. Issue another key instead.' })

export const noBody = () => z.strictObject({})

export const revokeBody = () =>
  z.strictObject({
    reason: z.string().max(500).nullish().meta({ description: 'Why; kept with the key.', example: 'laptop lost' }),
  })

export const verifyBody = () =>
  z.strictObject({
    key: z.string().min(1).max(1000).meta({ description: 'The full key to check.', example: 'clv_live_…' }),
    mcp: slug.nullish().meta({ description: 'May it reach this MCP?' }),
    tool: tool
      .nullish()
      .meta({ description: 'May it call this tool, of `mcp` or, without one, of any MCP it reaches?' }),
    scope: ruled(z.string(), (text) => checkScopes([text], 'scope'))
      .nullish()
      .meta({ description: 'Does it have this scope?', example: 'usage:read' }),
    ip: z
      .string()
      .refine((text) => isIP(text) !== 0, 'Write an address such as 203.0.113.7.')
      .nullish()
      .meta({ description: 'May it be used from this address?' }),
  })

const paging = {
  limit: z.int().min(1).max(200).default(50).meta({ description: 'Most entries of one answer.' }),
  cursor: z.string().max(500).optional().meta({ description: '`next_cursor` of the answer before.' }),
}

export const keyQuery = z.strictObject({
  status: status.optional(),
  environment: environment.optional(),
  search: z.string().max(100).optional().meta({ description: 'Part of a name, a description or a hint.' }),
  ...paging,
})

export const auditQuery = z.strictObject({
  action: z.enum(ACTIONS).optional(),
  subject_id: z.string().max(100).optional().meta({ description: 'What it was done to, such as the id of a key.' }),
  ...paging,
})

export const deleteQuery = z.strictObject({
  confirm: z.literal('recent_use').optional().meta({
    description: 'Says that a key may go although it was used in the last 24 hours.',
  }),
})

const maker = z.object({
  kind: z.enum(['user', 'key', 'cli']),
  id: z.string().nullable(),
  label: z.string(),
})

const keyMembers = {
  id: z.string().meta({ example: 'key_0mq1x8c5k3f9a1b2c3d4e5f6a7' }),
  name: z.string(),
  description: z.string().nullable(),
  environment,
  type,
  scopes: z.array(z.string()),
  mcp_access: z.discriminatedUnion('mode', [
    z.object({ mode: z.literal('all') }),
    z.object({
      mode: z.literal('selected'),
      mcps: z.array(z.object({ slug: z.string(), tools: z.array(z.string()).nullable() })),
    }),
  ]),
  ip_allow: z.array(z.string()),
  rate_limit_per_minute: z.int(),
  quota_per_day: z.int().nullable(),
  allow_in_url: z.boolean(),
  not_before: time.nullable(),
  expires_at: time.nullable(),
  hint: z.string().meta({ description: 'Enough to recognise the key.', example: 'clv_live_Ab3dEf9h…x7Qz' }),
  status,
  created_by: maker,
  created_at: time,
  last_used_at: time.nullable(),
  last_used_ip: z.string().nullable(),
  last_used_client: z.string().nullable(),
  request_count: z.int(),
  rotation: z
    .object({
      overlap_ends_at: time,
      old_last_used_at: time.nullable().meta({ description: 'When the secret that was rotated out was last used.' }),
    })
    .nullable()
    .meta({ description: 'While two secrets work; else null.' }),
  revoked_reason: z.string().nullable(),
} satisfies { [member in keyof ShownKey]: z.ZodType<ShownKey[member]> }

export const Key = z.object(keyMembers).meta({ id: 'Key', description: 'A key, without its secret.' })

export const IssuedKey = z
  .object({
    ...keyMembers,
    key: z.string().optional().meta({
      description: 'The full key. Shown in this answer alone: store it now. Absent when an answer is replayed.',
      example: 'clv_live_…',
    }),
    note: z.string().optional().meta({ description: 'Stands in a replayed answer, and says why `key` is absent.' }),
  })
  .meta({ id: 'IssuedKey', description: 'A new key with its secret.' })

export const WhoAmI = z
  .object({ ...keyMembers, workspace: z.object({ id: z.string(), slug: z.string(), name: z.string() }) })
  .meta({ id: 'WhoAmI', description: 'The calling key and its workspace.' })

export const KeyVerdict = z
  .object({
    valid: z.boolean(),
    code: z
      .enum([
        ...([
          'ok',
          'malformed_key',
          'unknown_key',
          'disabled_key',
          'expired_key',
          'revoked_key',
          'not_yet_valid',
        ] as const),
        ...(['ip_not_allowed', 'insufficient_scope', 'mcp_not_permitted', 'tool_not_permitted'] as const),
      ])
      .meta({ description: '`ok`, or what a request with this key would be refused for.' }),
    key: Key.nullable().meta({ description: 'Null unless the key is one of this workspace.' }),
  })
  .meta({ id: 'KeyVerdict' })

export const AuditLine = z
  .object({
    seq: z.int(),
    at: time,
    actor: z.object({
      kind: z.enum(['user', 'key', 'cli', 'system']),
      id: z.string().nullable(),
      label: z.string(),
      address: z.string().nullable(),
      request_id: z.string().nullable(),
    }),
    action: z.enum(ACTIONS),
    subject: z.object({ kind: z.string(), id: z.string(), label: z.string() }),
    before: z.record(z.string(), z.unknown()).nullable(),
    after: z.record(z.string(), z.unknown()).nullable(),
    hash: z.string().meta({ description: 'SHA-256 over this line and the one before it.' }),
  })
  .meta({ id: 'AuditLine', description: 'A management act.' })

export const AuditFinding = z
  .object({
    ok: z.boolean(),
    checked: z.int().meta({ description: 'How many lines were found whole.' }),
    first_bad: z.object({ seq: z.int(), why: z.string() }).optional(),
  })
  .meta({ id: 'AuditFinding' })

export function listOf(item: z.ZodType) {
  return z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().meta({ description: 'For the next page; null on the last one.' }),
  })
}

export const Problem = z
  .object({
    type: z.string().meta({ example: 'urn:claviger:error:validation_failed' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'A sentence that says what to do next.' }),
    code: z.enum(CODES),
    request_id: z.string().meta({ description: 'Also in `X-Request-Id`. Finds the request in the log.' }),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'With `validation_failed`: every field that is wrong.' }),
  })
  .meta({ id: 'Problem', description: 'A refusal (RFC 9457).' })

/** Counts characters as people do, not UTF-16 units. */
function lengthUpTo(most: number, text: z.ZodString, sentence: string) {
  return text.refine((value) => value.length > 0 && [...value].length <= most, sentence)
}

/** A rule of `core/` as a check, so that its complaint stands beside the others. */
function ruled<S extends z.ZodType>(schema: S, rule: (value: z.output<S>) => unknown): S {
  return schema.superRefine((value, issues) => {
    const message = complaint(() => rule(value))
    if (message) issues.addIssue({ code: 'custom', message })
  })
}

function ruledText<T>(read: (text: string) => T) {
  return z.string().transform((text, issues) => {
    const message = complaint(() => read(text))
    if (message === null) return read(text)
    issues.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

function complaint(rule: () => unknown): string | null {
  try {
    rule()
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}
