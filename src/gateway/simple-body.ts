import { z } from 'zod'

export const SimpleCall = z.strictObject({
  mcp_id: z.string().min(1),
  tool: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).optional(),
})
