import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { refusalsOf } from '../src/api/openapi.ts'
import { ROUTES } from '../src/api/routes.ts'
import { newId } from '../src/core/ids.ts'
import { disable, removeKey, revoke } from '../src/core/keys/lifecycle.ts'
import { MANAGEMENT_SCOPES } from '../src/core/keys/scopes.ts'
import { type Code, Refusal } from '../src/core/refusal.ts'
import { addRepo } from '../src/core/repos/edit.ts'
import { problemOf, STATUS } from '../src/http/refusals.ts'
import { addressOf, EXAMPLES, type Example, exampleOf } from './api/examples.ts'
import { jsonOf } from './support/json.ts'
import { operator, type Started, start } from './support/start.ts'

/** openapi.json against what is really answered, every operation and every refusal. */

const MIGHTY = { scopes: ['mcp:*', ...Object.keys(MANAGEMENT_SCOPES)] }
const routes = ROUTES.map(({ method, path, endpoint }) => ({
  name: `${method.toUpperCase()} ${path}`,
  method,
  path,
  endpoint,
  id: endpoint.operation.id,
}))
type Route = (typeof routes)[number]

let app: Started
let bare: Started
let broken: Started
let fullKey: string
let keys: Awaited<ReturnType<typeof spoiled>>
let document: Awaited<ReturnType<typeof jsonOf>>
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
beforeAll(async () => {
  app = await start({ shared: true })
  bare = await start({ shared: true, setUp: false })
  broken = await start({ shared: true })
  broken.ctx.store.setup.done = () => Promise.reject(new Error('broken on purpose'))
  fullKey = (await app.key(MIGHTY)).fullKey
  keys = await spoiled()
  await addRepo(app.ctx, operator, app.workspace.id, { name: 'claviger', source: 'manual' })
  document = await jsonOf(app.get('/api/v1/openapi.json'))
  ajv.addSchema(document, 'openapi.json')
  return () => Promise.all([app, bare, broken].map(({ close }) => close()))
})

/** Keys that no longer, not yet or not here are good. */
async function spoiled() {
  const { ctx, workspace, key, advance } = app
  const after = async (spoil: (id: string) => Promise<unknown>) => {
    const { key: one, fullKey } = await key(MIGHTY)
    await spoil(one.id)
    return fullKey
  }
  const expired = await key({ ...MIGHTY, expiresAt: new Date(ctx.now().getTime() + 1000) })
  advance(1000)
  return {
    expired: expired.fullKey,
    gone: await after((id) => removeKey(ctx, operator, workspace.id, id, { confirmed: true })),
    disabled: await after((id) => disable(ctx, operator, workspace.id, id)),
    revoked: await after((id) => revoke(ctx, operator, workspace.id, id, null)),
    scheduled: (await key({ ...MIGHTY, notBefore: new Date('2030-01-01') })).fullKey,
    elsewhere: (await key({ ...MIGHTY, ipAllow: ['203.0.113.0/24'] })).fullKey,
    powerless: (await key({ scopes: ['mcp:none'] })).fullKey,
    oneTool: (await key({ mcpAccess: { mode: 'selected', mcps: [{ slug: 'fix', tools: ['sleep'] }] } })).fullKey,
  }
}

function validatorFor(...steps: (string | number)[]): ValidateFunction {
  const pointer = steps
    .map((step) => encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/')
  return ajv.getSchema(`openapi.json#/${pointer}`)!
}

describe('openapi.json', () => {
  it('is OpenAPI 3.1 without loose ends', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.info).toMatchObject({ title: 'Claviger', version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    for (const { name, description } of document.tags) expect([name, description]).toEqual([name, expect.any(String)])
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(document.components.schemas)).toContain(name)
  })

  it('tells of each route and of no other', () => {
    const told = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(told.sort()).toEqual(routes.map(({ name }) => name).sort())
    expect(Object.keys(EXAMPLES).sort()).toEqual(routes.map(({ id }) => id).sort())
  })

  it('refuses in its schemas what the door refuses', () => {
    const takes = validatorFor('paths', '/keys', 'post', 'requestBody', 'content', 'application/json', 'schema')
    expect(takes({ name: 'x', expires_at: '90d', mcp_access: { mode: 'all' } })).toBe(true)
    for (const bad of [{}, { name: 7 }, { name: '' }, { name: 'x', colour: 'red' }, { name: 'x', environment: 'prod' }])
      expect(takes(bad)).toBe(false)
  })
})

describe.each(routes)('$name', (route) => {
  it('takes its example and answers as described', async () => {
    const { body } = await exampleOf(route.id, app, operator)
    const takes = [...operation(route), 'requestBody', 'content', 'application/json', 'schema']
    if (body) expect(said(validatorFor(...takes), body)).toBeNull()
    const response = await ask(route, { headers: bearer() })
    expect(await misfit(route, response)).toBeNull()
    expect(response.status).toBe(route.endpoint.operation.answer.status)
    const { tagged } = route.endpoint.operation.answer
    expect(response.headers.has('etag')).toBe(tagged === true)
    expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  })

  it('refuses as described, with every code that it names', async () => {
    const named = refusalsOf(route.endpoint, route.path)
    const met: Code[] = []
    for (const code of named) {
      const provoke = PROVOKED[code]
      if (!provoke) throw new Error(`${code} is named by ${route.id}. Say in this file how it comes about.`)
      const response = await provoke(route)
      const { code: answered } = await jsonOf(response.clone())
      expect([answered, await misfit(route, response)]).toEqual([code, null])
      met.push(code)
    }
    expect(met).toEqual(named)
  })
})

type Provoke = (route: Route) => Promise<Response>

/** How each refusal comes about. */
const PROVOKED: Partial<Record<Code, Provoke>> = {
  bad_request: (route) => twice(route, 'content-type', 'application/json'),
  multiple_credentials: (route) => ask(route, { headers: { ...bearer(), 'x-api-key': fullKey } }),
  missing_key: (route) => ask(route),
  malformed_key: (route) => ask(route, { headers: bearer('clv_live_x') }),
  unknown_key: (route) => ask(route, { headers: bearer(keys.gone) }),
  disabled_key: (route) => ask(route, { headers: bearer(keys.disabled) }),
  revoked_key: (route) => ask(route, { headers: bearer(keys.revoked) }),
  expired_key: (route) => ask(route, { headers: bearer(keys.expired) }),
  not_yet_valid: (route) => ask(route, { headers: bearer(keys.scheduled) }),
  ip_not_allowed: (route) => ask(route, { headers: bearer(keys.elsewhere) }),
  insufficient_scope: (route) => ask(route, { headers: bearer(keys.powerless) }),
  forbidden: (route) => ask(route, { headers: { ...bearer(), origin: 'https://elsewhere.example' } }),
  not_found: (route) => ask(route, { headers: bearer() }, (example) => ({ ...example, path: nobodys(example) })),
  validation_failed: (route) =>
    route.endpoint.open
      ? ask(route, { body: { colour: 'red' } })
      : ask(route, { headers: bearer() }, (example) => ({ ...example, query: 'colour=red' })),
  precondition_failed: (route) => ask(route, { headers: { ...bearer(), 'if-match': '"999"' } }),
  payload_too_large: (route) => announced(route, (route.endpoint.operation.upload?.most ?? 1_000_000) + 1),
  unsupported_media_type: (route) => {
    const type = route.endpoint.operation.upload ? 'multipart/form-data; boundary=x' : 'text/plain'
    return ask(route, { headers: { ...bearer(), 'content-type': type }, body: '{}' })
  },
  internal_error: (route) => ask(route, { headers: bearer(), of: broken }),
  not_set_up: (route) => ask(route, { of: bare }),
  // its moment is too short to be asked in; what is said in it comes from the same place
  shutting_down: async () => {
    const refusal = new Refusal('shutting_down', 'The server is shutting down.')
    return Response.json(problemOf(refusal, 'req_x'), {
      status: 503,
      headers: { 'content-type': 'application/problem+json' },
    })
  },
  wrong_environment: (route) => ask(route, { headers: bearer() }, (example) => at(example, 'only-test')),
  mcp_not_permitted: (route) =>
    ask(route, { headers: bearer() }, (example) =>
      route.id === 'connectClient' ? { ...example, query: 'mcp=nothing' } : { ...example, path: nobodys(example) },
    ),
  tool_not_permitted: (route) => ask(route, { headers: bearer(keys.oneTool) }),
  upstream_unavailable: (route) => ask(route, { headers: bearer() }, (example) => at(example, 'dead')),
  upstream_timeout: (route) => ask(route, { headers: bearer() }, (example) => at(example, 'slow')),
  conflict: async (route) => {
    if (route.endpoint.operation.upload)
      return ask(route, { headers: bearer() }, (example) => ({ ...example, path: { ...example.path, id: 'claviger' } }))
    if (route.id === 'changeRepo') return ask(route, { headers: bearer(), body: { name: 'claviger' } })
    const name = { 'idempotency-key': newId('req', new Date()) }
    if (!route.endpoint.operation.creates)
      return ask(route, { headers: bearer() }, async (example) => {
        await revoke(app.ctx, operator, app.workspace.id, example.path!.id!, null)
        return example
      })
    await ask(route, { headers: { ...bearer(), ...name } })
    return ask(route, { headers: { ...bearer(), ...name }, body: {} })
  },
  rate_limited: async (route) => {
    const answers = await Promise.all(Array.from({ length: 61 }, () => ask(route)))
    return answers.find(({ status }) => status === 429)!
  },
  recently_used: (route) =>
    ask(route, { headers: bearer() }, async (example) => {
      const use = { keyId: example.path!.id!, at: app.ctx.now(), ip: '127.0.0.1', client: null, requests: 1 }
      await app.ctx.store.uses.note([use])
      return example
    }),
}

type Sent = { headers?: Record<string, string>; body?: unknown; of?: Started }

/** The example of an operation, changed where a refusal asks for it. */
async function ask(
  route: Route,
  { headers, body, of = app }: Sent = {},
  change: (example: Example) => Example | Promise<Example> = (example) => example,
): Promise<Response> {
  const example = await change(await exampleOf(route.id, app, operator))
  return of.call(route.method.toUpperCase(), addressOf(route.path, example), {
    headers,
    body: body ?? example.file ?? example.body,
  })
}

/** Says how much would come, and waits for the answer. */
async function announced(route: Route, bytes: number): Promise<Response> {
  const path = addressOf(route.path, await exampleOf(route.id, app, operator))
  const headers = { ...bearer(), 'content-type': 'application/json', 'content-length': bytes }
  const sent = httpRequest(app.origin + path, { method: route.method.toUpperCase(), headers })
  sent.flushHeaders()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const body = await text(answer)
  sent.destroy()
  return new Response(body, {
    status: answer.statusCode!,
    headers: { 'content-type': answer.headers['content-type']! },
  })
}

/** fetch joins a header that comes twice; this sends it twice. */
async function twice(route: Route, header: string, value: string): Promise<Response> {
  const path = addressOf(route.path, await exampleOf(route.id, app, operator))
  const sent = httpRequest(app.origin + path, { method: route.method.toUpperCase() })
  sent.setHeader(header, [value, value]).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return new Response(await text(answer), {
    status: answer.statusCode!,
    headers: { 'content-type': answer.headers['content-type']! },
  })
}

/** `sleep` is the tool that takes its time. */
function at(example: Example, id: string): Example {
  return { ...example, path: { id, ...(example.path!.tool && { tool: 'sleep' }) } }
}

function nobodys({ path }: Example): Record<string, string> {
  return Object.fromEntries(Object.keys(path!).map((name) => [name, 'nothing']))
}

function bearer(key = fullKey): Record<string, string> {
  return { authorization: `Bearer ${key}` }
}

function operation({ path, method }: Route): string[] {
  return ['paths', path, method]
}

function said(validate: ValidateFunction, value: unknown): string | null {
  return validate(value) ? null : ajv.errorsText(validate.errors)
}

/** Null if the document knows such an answer. */
async function misfit(route: Route, response: Response): Promise<string | null> {
  const described = document.paths[route.path][route.method].responses[response.status]
  if (!described) return `${response.status} is not described`
  const body = await jsonOf(response)
  if (!described.content) return body === null ? null : 'a body where none is described'
  const [type] = response.headers.get('content-type')!.split(';')
  if (!described.content[type!]) return `${type} is not described`
  if (body.status && body.code && STATUS[body.code as Code] !== response.status) return 'the code has another status'
  return said(validatorFor(...operation(route), 'responses', response.status, 'content', type!, 'schema'), body)
}
