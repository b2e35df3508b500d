import * as z from 'zod'
import { DEFAULT_TIMEOUT_SECONDS } from '../core/mcps/edit.ts'
import { ISOLATIONS, TRANSPORTS } from '../core/mcps/mcp.ts'
import type { ShownMcp } from '../core/mcps/shown.ts'
import { SLUG } from '../core/slug.ts'
import { READ_ONLY } from './parse.ts'

const slug = z
  .string()
  .regex(SLUG, { error: 'A slug is 1 to 32 of a-z, 0-9 and -.' })
  .meta({ description: 'Part of its address and of its tools’ names.', example: 'wiki' })
const name = z.string().trim().min(1).max(100).meta({ example: 'Company wiki' })
const isolation = z.enum(ISOLATIONS).meta({ description: 'Who shares a session upstream.' })
const timeout = z
  .int()
  .min(1)
  .max(3600)
  .meta({ description: `Seconds a call may take (${DEFAULT_TIMEOUT_SECONDS}).` })

const target = z.strictObject({
  url: z.string().max(2000).meta({ example: 'https://wiki.internal/mcp' }),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .meta({
      description: 'Sent with each request. Kept encrypted and never shown again.',
      example: { Authorization: 'Bearer …' },
    }),
})

const FIXED = Object.fromEntries(
  ['id', 'created_at', 'workspace_id', 'revision'].map((member) => [
    member,
    'This is set by Claviger and cannot be given.',
  ]),
)

export const newMcpBody = () =>
  z
    .strictObject({
      slug,
      name: name.nullish(),
      transport: z
        .literal('http')
        .default('http')
        .meta({ description: 'Commands (stdio) are added on the server, never by API key.' }),
      live: target.nullish().meta({ description: 'What live keys reach.' }),
      test: target.nullish().meta({ description: 'What test keys reach.' }),
      isolation: isolation.nullish(),
      timeout_seconds: timeout.nullish(),
    })
    .register(READ_ONLY, FIXED)

export const mcpChangeBody = () =>
  z
    .strictObject({
      name: name.optional(),
      live: target.nullish().meta({ description: 'Replaced whole, its headers too. Null: taken away.' }),
      test: target.nullish(),
      isolation: isolation.optional(),
      timeout_seconds: timeout.optional(),
    })
    .register(READ_ONLY, {
      ...FIXED,
      slug: 'A slug stays. Add another MCP instead.',
      transport: 'The transport stays. Add another MCP instead.',
    })

export const toolCallBody = () =>
  z.strictObject({
    arguments: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ example: { query: 'rotate a key' } }),
  })

export const mcpQuery = z.strictObject({
  limit: z.int().min(1).max(200).default(50).meta({ description: 'Most entries of one answer.' }),
  cursor: z.string().max(500).optional().meta({ description: '`next_cursor` of the answer before.' }),
})

const shownTarget = z
  .union([
    z.object({ url: z.string(), headers: z.array(z.string()) }),
    z.object({ command: z.string(), args: z.array(z.string()), env: z.array(z.string()), cwd: z.string().nullable() }),
    z.object({ builtin: z.string() }),
  ])
  .meta({ description: 'Headers and variables by name; what they hold is never shown.' })

export const Mcp = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    transport: z.enum(TRANSPORTS),
    live: shownTarget.nullable(),
    test: shownTarget.nullable(),
    isolation: z.enum(ISOLATIONS),
    timeout_seconds: z.int(),
    created_at: z.string().meta({ format: 'date-time' }),
  } satisfies { [member in keyof ShownMcp]: z.ZodType<ShownMcp[member]> })
  .meta({ id: 'Mcp', description: 'An MCP server that the workspace offers.' })

export const McpTools = z
  .object({
    data: z.array(z.looseObject({ name: z.string() })).meta({ description: 'As the server describes them.' }),
    heard_at: z
      .string()
      .nullable()
      .meta({ format: 'date-time', description: 'When the server was last asked; null: never with success.' }),
  })
  .meta({ id: 'McpTools' })

export const ToolResult = z
  .object({ result: z.looseObject({}).meta({ description: 'The tool’s result, as the server gave it.' }) })
  .meta({ id: 'ToolResult' })
