import type { Handler, Request } from 'express'
import { CODES } from '../core/refusal.ts'
import { STATUS } from '../http/refusals.ts'
import type { Door } from './door.ts'
import { type OpenApi, openApi } from './openapi.ts'
import type { Route } from './routes.ts'
import { fieldsOf, type Schema } from './schema-words.ts'

/** The OpenAPI document as a page for people: it can say nothing that the document does not. */
export function referencePage({ render, version }: Door, routes: readonly Route[]): Handler {
  let reference: ReturnType<typeof referenceOf> | null = null
  return (req, res) => {
    reference ??= referenceOf(openApi(routes, version)) // 70 ms, and few ask for it
    const data = { title: 'REST reference', ...reference, address: addressOf(req), prose }
    render(req, res, 'api/reference', data)
  }
}

function addressOf(req: Request): string {
  return `${req.seen.https ? 'https' : 'http'}://${req.get('host')}`
}

/** Like JSON itself, the document is looked at without knowing more of it than is used here. */
type Document = {
  info: { description: string }
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, Schema> }
}
type Described = {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security?: unknown[]
  parameters: { in: string; name: string; required?: boolean; schema: Schema }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema; example?: unknown }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>
}

function referenceOf(openApiDocument: OpenApi) {
  const document: Document = JSON.parse(JSON.stringify(openApiDocument))
  const { schemas } = document.components
  const base = document.servers[0]!.url
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) =>
      operationOf(base + path, method.toUpperCase(), described, schemas),
    ),
  )
  return {
    about: document.info.description,
    groups: document.tags.map(({ name, description }) => ({
      name,
      title: description,
      operations: operations.filter(({ group }) => group === name),
    })),
    objects: Object.entries(schemas).map(([name, schema]) => ({
      name,
      about: schema.description ?? '',
      fields: fieldsOf(schema, schemas),
    })),
    codes: CODES.map((code) => ({ code, status: STATUS[code] })).sort((a, b) => a.status - b.status),
  }
}

function operationOf(path: string, method: string, described: Described, schemas: Record<string, Schema>) {
  const { parameters, requestBody, responses } = described
  const json = requestBody?.content['application/json']
  const file = requestBody !== undefined && json === undefined
  const open = described.security?.length === 0
  return {
    id: described.operationId,
    group: described.tags[0]!,
    method,
    path,
    summary: described.summary,
    about: described.description,
    parameters: parameters.flatMap(({ name, in: place, required, schema }) =>
      fieldsOf({ properties: { [name]: schema }, required: required ? [name] : [] }, schemas).map((field) => ({
        ...field,
        place,
      })),
    ),
    body: json && { required: requestBody!.required === true, fields: fieldsOf(json.schema, schemas) },
    file,
    answers: Object.entries(responses)
      .filter(([status]) => Number(status) < 400)
      .map(([status, { description, content }]) => ({
        status,
        about: description,
        object: content && nameOf(Object.values(content)[0]!.schema),
      })),
    refusals: Object.entries(responses)
      .filter(([status]) => Number(status) >= 400)
      .map(([status, { description }]) => ({ status, codes: description })),
    command: (address: string) => commandFor(method, address + path, open, json?.example, file),
  }
}

/** `Key`, or for a list of them still `Key`. */
function nameOf(schema: Schema): { name: string; list: boolean } | undefined {
  const list = schema.properties?.data?.items
  const name = (list ?? schema).$ref?.split('/').at(-1)
  return name ? { name, list: list !== undefined } : undefined
}

function commandFor(method: string, url: string, open: boolean, example: unknown, file: boolean): string {
  return [
    `curl ${method === 'GET' ? '' : `-X ${method} `}'${url}'`,
    ...(open ? [] : ["-H 'Authorization: Bearer YOUR_API_KEY'"]),
    ...(file ? ['--data-binary @FILE'] : []),
    ...(example ? ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(example)}'`] : []),
  ].join(' \\\n  ')
}

type Piece = { text: string; code: boolean }
type Block = { list: boolean; lines: Piece[][] }

/** The little Markdown that descriptions use: paragraphs, lists with `-`, and code in backticks. */
function prose(text: string): Block[] {
  const blocks: Block[] = []
  for (const line of text.split('\n').filter(Boolean)) {
    const list = line.startsWith('- ')
    const last = blocks.at(-1)
    const pieces = (list ? line.slice(2) : line).split('`').map((text, i) => ({ text, code: i % 2 === 1 }))
    if (list && last?.list) last.lines.push(pieces)
    else blocks.push({ list, lines: [pieces] })
  }
  return blocks
}
