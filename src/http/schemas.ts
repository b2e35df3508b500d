import * as z from 'zod'
import { CODES } from '../core/refusal.ts'

/** What the operations of the REST door share. Each is what is checked, and what openapi.json says. */

export const environment = z.enum(['live', 'test'])
export const time = z.string().meta({ format: 'date-time', example: '2027-03-31T23:59:59.999Z' })

export const noBody = () => z.strictObject({})

/** Where a list by name goes on holds a name: a hundred characters of four bytes, written as base64 twice over. */
const LONGEST_CURSOR = 2000

export const paging = {
  limit: z.int().min(1).max(200).default(50).meta({ description: 'Most entries of one answer.' }),
  cursor: z.string().max(LONGEST_CURSOR).optional().meta({ description: '`next_cursor` of the answer before.' }),
}

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
