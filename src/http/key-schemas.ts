import * as z from 'zod'
import type { ShownKey } from '../core/keys/shown.ts'
import { environment, time } from './schemas.ts'

export const keyType = z.enum(['restricted', 'unrestricted'])
export const keyStatus = z.enum(['active', 'scheduled', 'expired', 'disabled', 'revoked'])

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
  type: keyType,
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
  status: keyStatus,
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

const caller = (name: string, about: string) =>
  z.array(z.object({ [name]: z.string(), calls: z.int() })).meta({ description: about })

export const Impact = z
  .object({
    calls_24h: z.int().meta({ description: 'Calls of the last 24 hours.' }),
    clients: caller('name', 'The busiest, twenty at most.'),
    addresses: caller('ip', 'The busiest, twenty at most.'),
    last_used_at: time.nullable(),
  })
  .meta({ id: 'Impact', description: 'Who uses a key.' })
