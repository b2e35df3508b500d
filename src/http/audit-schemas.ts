import * as z from 'zod'
import { ACTIONS } from '../core/audit.ts'
import { paging, time } from './schemas.ts'

export const auditQuery = z.strictObject({
  action: z.enum(ACTIONS).optional(),
  subject_id: z.string().max(100).optional().meta({ description: 'What it was done to, such as the id of a key.' }),
  ...paging,
})

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
