import * as z from 'zod'
import { CLIENT_NAMES } from '../core/connect/clients.ts'
import { checkReached, clientCalled, connectionFor, targetFor } from '../core/connect/connection.ts'
import { endpoint } from './operation.ts'

const Connection = z
  .object({
    client: z.enum(CLIENT_NAMES),
    kind: z.enum(['command', 'link', 'file', 'url', 'code']),
    variants: z.array(
      z.object({
        title: z.string(),
        content: z.string().meta({ description: 'To paste, with `YOUR_API_KEY` where the key belongs.' }),
        path: z
          .string()
          .optional()
          .meta({ description: 'The file, or the place in the settings, that it belongs to.' }),
        note: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Connection' })

export const connectClient = endpoint(
  {
    id: 'connectClient',
    summary: 'Show how to connect a client',
    about: `What to paste, for ${CLIENT_NAMES.map((name) => `\`${name}\``).join(', ')}: for everything that the key opens, or for one MCP.`,
    power: null,
    query: z.strictObject({
      mcp: z.string().max(100).optional().meta({ description: 'The slug of one MCP.', example: 'docs' }),
    }),
    answer: { status: 200, about: 'One or more ways, the simplest first.', schema: Connection },
    refusals: ['mcp_not_permitted', 'not_found'],
  },
  async ({ ctx }, { caller, client, origin, query: { mcp = null } }) => {
    const name = clientCalled(client)
    if (mcp !== null) await checkReached(ctx, caller.key, mcp)
    return { body: connectionFor(name, targetFor(origin, mcp)) }
  },
)
