import * as z from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from 'zod-openapi'
import { SCOPE_FOR } from '../core/caller.ts'
import type { Code } from '../core/refusal.ts'
import { STATUS } from '../http/refusals.ts'
import { Problem } from '../http/schemas.ts'
import type { Endpoint, Operation } from './operation.ts'
import type { Route } from './routes.ts'

const ANY: Code[] = ['bad_request', 'forbidden', 'not_set_up', 'shutting_down', 'internal_error']
const KEYED: Code[] = [
  ...(['multiple_credentials', 'missing_key', 'malformed_key', 'unknown_key', 'disabled_key', 'expired_key'] as const),
  ...(['revoked_key', 'not_yet_valid', 'ip_not_allowed', 'validation_failed'] as const),
]

export type OpenApi = ReturnType<typeof openApi>

/** The document is made of what the routes are checked by. */
export function openApi(routes: readonly Route[], version: string) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {}
  for (const { method, path, endpoint } of routes) {
    paths[path] ??= {}
    paths[path][method] = described(endpoint, path)
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Claviger',
      version,
      description:
        'Keys in front of MCP servers. JSON in `snake_case`, times in ISO 8601 UTC. Unknown members and parameters are refused. Every answer carries `X-Request-Id`; one to a key in its last seven days carries `Claviger-Key-Expires`.',
    },
    servers: [{ url: '/api/v1' }],
    tags: [...new Set(routes.map(({ path }) => tagOf(path)))].map((name) => ({ name, description: GROUPS[name] })),
    security: [{ bearer: [] }, { header: [] }],
    paths,
    components: {
      schemas: { Problem },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key. `Authorization: ApiKey <key>` works too.' },
        header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  })
}

export function refusalsOf({ operation, open }: Endpoint, path: string): Code[] {
  if (open && !operation.body) return ANY
  if (open)
    return [...ANY, 'validation_failed', 'payload_too_large', 'unsupported_media_type', ...(operation.refusals ?? [])]
  const codes = new Set<Code>([...ANY, ...KEYED, ...(operation.refusals ?? [])])
  if (operation.power) codes.add('insufficient_scope')
  if (path.includes('{') && !codes.has('mcp_not_permitted')) codes.add('not_found') // one answer for hidden and missing
  if (operation.changes) codes.add('precondition_failed')
  if (operation.body || operation.upload) codes.add('payload_too_large').add('unsupported_media_type')
  return [...codes]
}

const GROUPS: Record<string, string> = {
  whoami: 'The calling key',
  connect: 'Connecting clients',
  keys: 'Keys',
  mcps: 'MCP servers',
  repos: 'Documentation repos',
  audit: 'Audit log',
  openapi: 'This description',
}

function tagOf(path: string): string {
  return path.split(/[/.]/)[1]!
}

function described(endpoint: Endpoint, path: string): ZodOpenApiOperationObject {
  const { operation, open } = endpoint
  return {
    operationId: operation.id,
    summary: operation.summary,
    description: [operation.about, needs(endpoint)].filter(Boolean).join('\n\n'),
    tags: [tagOf(path)],
    ...(open && { security: [] }),
    requestParams: {
      ...(path.includes('{') && { path: z.object(namesIn(path)) }),
      ...(operation.query && { query: operation.query }),
      header: headersOf(operation),
    },
    ...(operation.body && {
      requestBody: {
        required: !operation.bodyIsOptional,
        content: {
          'application/json': {
            schema: operation.body(new Date(0)), // the shape is the same at any time
            ...(operation.example && { example: operation.example }),
          },
        },
      },
    }),
    ...(operation.upload && {
      requestBody: { required: true, content: { [operation.upload.type]: { schema: z.file() } } },
    }),
    responses: { ...answersOf(operation), ...problemsOf(refusalsOf(endpoint, path)) },
  }
}

function namesIn(path: string): Record<string, z.ZodString> {
  return Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name!, z.string()]))
}

function needs({ operation, open }: Endpoint): string {
  if (open) return 'Needs no key.'
  if (!operation.power) return 'Needs any good key.'
  const scope = `Needs the scope \`${SCOPE_FOR[operation.power]}\``
  return operation.itself ? `${scope}, unless it is the calling key itself.` : `${scope}.`
}

function headersOf({ creates, changes, answer }: Operation) {
  const known = answer.tagged && !creates && !changes
  return z.object({
    ...(creates && {
      'Idempotency-Key': z.string().max(255).optional().meta({
        description:
          'A name for this request, of your own. For 24 hours the same name with the same body gives the same answer again, with `Idempotency-Replayed: true` and without the secret.',
      }),
    }),
    ...(changes && {
      'If-Match': z
        .string()
        .optional()
        .meta({ description: 'The `ETag` you have read: refused if the object has changed since.' }),
    }),
    ...(known && {
      'If-None-Match': z.string().optional().meta({ description: 'The `ETag` you have: 304 if it still holds.' }),
    }),
  })
}

function answersOf({ answer, creates, changes }: Operation): Record<string, ZodOpenApiResponseObject> {
  const headers = {
    ...(answer.tagged && { ETag: z.string() }),
    ...(creates && { Location: z.string(), 'Idempotency-Replayed': z.literal('true').optional() }),
  }
  return {
    [answer.status]: {
      description: answer.about,
      ...(Object.keys(headers).length > 0 && { headers: z.object(headers) }),
      ...(answer.status !== 204 && {
        content: { 'application/json': { schema: answer.schema ?? z.looseObject({}) } },
      }),
    },
    ...(answer.tagged && !creates && !changes && { '304': { description: 'It is as you know it.' } }),
  }
}

/** One answer for each status, with the codes that may stand in it. */
function problemsOf(codes: Code[]): Record<string, ZodOpenApiResponseObject> {
  const statuses = [...new Set(codes.map((code) => STATUS[code]))].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const possible = codes.filter((code) => STATUS[code] === status)
      return [
        String(status),
        {
          description: possible.map((code) => `\`${code}\``).join(', '),
          content: {
            'application/problem+json': {
              schema: {
                allOf: [{ $ref: '#/components/schemas/Problem' }],
                properties: { status: { const: status }, code: { enum: possible } },
              },
            },
          },
        },
      ]
    }),
  )
}
