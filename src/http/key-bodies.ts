import { isIP } from 'node:net'
import * as z from 'zod'
import { LONGEST_HINT, readSha256 } from '../core/keys/importing.ts'
import { MOST_LEAKED } from '../core/keys/leaks.ts'
import { DEFAULT_OVERLAP, LONGEST_OVERLAP } from '../core/keys/rotation.ts'
import { checkScopes } from '../core/keys/scopes.ts'
import { LONGEST_REASON } from '../core/keys/wishes.ts'
import { KEY_SORTS } from '../core/store.ts'
import {
  allowInUrl,
  characters,
  description,
  firstExpiry,
  ipAllow,
  laterExpiry,
  mcpAccess,
  name,
  notBefore,
  quota,
  rate,
  scopes,
  slug,
  tool,
} from './key-fields.ts'
import { keyStatus, keyType } from './key-schemas.ts'
import { READ_ONLY } from './parse.ts'
import { ruled } from './rules.ts'
import { environment, paging } from './schemas.ts'

const SET_BY_US = 'This is set by Claviger and cannot be given.'
const FIXED = {
  ...Object.fromEntries(
    [
      ...['id', 'key', 'workspace', 'workspace_id', 'owner_id', 'created_by', 'created_at', 'revision'],
      ...['hint', 'last_used_at', 'last_used_ip', 'last_used_client', 'request_count', 'rotation'],
    ].map((name) => [name, SET_BY_US]),
  ),
  status: 'The status is not set: POST …/disable, …/enable or …/revoke changes it.',
  revoked_reason: 'Give the reason when you revoke the key: POST …/revoke {"reason": …}.',
}

/** `null` means left out. */
const newKeyMembers = (now: Date) => ({
  name,
  description: description.nullish(),
  environment: environment.nullish().meta({ description: 'Live unless told, or the one of the calling key.' }),
  type: keyType.nullish().meta({ description: 'Restricted unless told: `scopes` decide.' }),
  scopes: scopes.nullish(),
  mcp_access: mcpAccess.nullish(),
  ip_allow: ipAllow.nullish(),
  rate_limit_per_minute: rate.nullish(),
  quota_per_day: quota.nullish(),
  allow_in_url: allowInUrl.nullish(),
  not_before: notBefore().nullish(),
  expires_at: firstExpiry(now).nullish(),
})

export const newKeyBody = (now: Date) => z.strictObject(newKeyMembers(now)).register(READ_ONLY, FIXED)

export const importBody = (now: Date) =>
  z
    .strictObject({
      ...newKeyMembers(now),
      sha256: ruled(z.string().max(100), readSha256).meta({
        description: 'SHA-256 of the full key, as 64 hexadecimal digits or base64 with its `=`. Never the key itself.',
      }),
      hint: z
        .string()
        .max(100)
        .nullish()
        .meta({
          description: `What people recognise the key by, such as its beginning and end; up to ${LONGEST_HINT} characters.`,
          example: 'tp_a1b2…9z',
        }),
    })
    .register(READ_ONLY, { ...FIXED, key: 'Send the SHA-256 of the key as `sha256`, never the key.' })

export const keyChangeBody = (now: Date) =>
  z
    .strictObject({
      name: name.optional(),
      description: description.nullish(),
      type: keyType.optional(),
      scopes: scopes.optional(),
      mcp_access: mcpAccess.optional(),
      ip_allow: ipAllow.nullish(),
      rate_limit_per_minute: rate.nullish().meta({ description: 'Null: the default of 600.' }),
      quota_per_day: quota.nullish(),
      allow_in_url: allowInUrl.optional(),
      not_before: notBefore().nullish(),
      expires_at: laterExpiry(now).nullish(),
    })
    .refine((change) => Object.keys(change).length > 0, {
      error: 'Name at least one member that is to change.',
      when: ({ issues }) => issues.length === 0, // what is not known here was left out of it
    })
    .meta({ minProperties: 1 })
    .register(READ_ONLY, { ...FIXED, environment: 'The environment of a key stays. Issue another key instead.' })

export const revokeBody = () =>
  z.strictObject({
    reason: characters(0, LONGEST_REASON, z.string(), `The reason has at most ${LONGEST_REASON} characters.`)
      .nullish()
      .meta({ description: 'Why; kept with the key.', maxLength: LONGEST_REASON, example: 'laptop lost' }),
  })

export const rotateBody = () =>
  z.strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(LONGEST_OVERLAP)
      .nullish()
      .meta({
        description: `How long both secrets work: ${DEFAULT_OVERLAP} (a day) unless told. 0 ends the older one at once.`,
      }),
  })

export const leakBody = () =>
  z.strictObject({
    keys: z
      .array(z.string().min(1).max(1000))
      .min(1)
      .max(MOST_LEAKED)
      .meta({
        description: `Full keys, at most ${MOST_LEAKED}.`,
      }),
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

export const keyQuery = z.strictObject({
  status: keyStatus.optional(),
  environment: environment.optional(),
  type: keyType.optional(),
  mcp: slug.optional().meta({ description: 'The slug of an MCP server that they reach.' }),
  owner_id: z.string().max(100).optional().meta({ description: 'Whom they belong to, as in `created_by`.' }),
  search: z.string().max(100).optional().meta({ description: 'Part of a name, a description or a hint.' }),
  sort: z.enum(KEY_SORTS).default('created'),
  order: z
    .enum(['asc', 'desc'])
    .optional()
    .meta({ description: 'Unless told: the newest, the latest used, the first by name, the first to end.' }),
  ...paging,
})

export const pageQuery = z.strictObject(paging)

export const deleteQuery = z.strictObject({
  confirm: z.literal('recent_use').optional().meta({
    description: 'Says that a key may go although it was used in the last 24 hours.',
  }),
})
