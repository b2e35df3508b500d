import * as z from 'zod'
import { environment, time } from './schemas.ts'

export const ActivityLine = z
  .object({
    at: time,
    request_id: z.string(),
    key_id: z.string().nullable(),
    mcp: z.string().nullable(),
    method: z.string(),
    tool: z.string().nullable(),
    environment,
    outcome: z.string().meta({
      description: '`ok`, `tool_error`, `upstream_error`, `cancelled`, or the code of a refusal.',
      example: 'ok',
    }),
    status: z.int(),
    latency_ms: z.number(),
    upstream_ms: z.number().nullable(),
    ip: z.string(),
    client: z.string().nullable(),
  })
  .meta({ id: 'ActivityLine', description: 'A call.' })
