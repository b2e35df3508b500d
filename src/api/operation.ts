import type { Request } from 'express'
import * as z from 'zod'
import type { Caller } from '../core/caller.ts'
import type { Code } from '../core/refusal.ts'
import type { Power } from '../core/workspaces/roles.ts'
import { readJson, readUpload } from '../http/body.ts'
import { originFor } from '../http/origin.ts'
import { type Camel, parse } from '../http/parse.ts'
import { queryOf } from '../http/query.ts'
import type { Door } from './door.ts'
import { revisionSeen } from './etag.ts'
import { answerOnce } from './once.ts'

/** What a route takes and gives. Requests are checked by it, and openapi.json is made from it. */
export type Operation = {
  id: string
  summary: string
  about?: string
  /** What the caller needs beside a good key; null: nothing. */
  power: Power | null
  /** A key needs no power to do this to itself. */
  itself?: boolean
  query?: z.ZodObject
  /** The schema at this moment: some dates are good only until they pass. */
  body?: (now: Date) => z.ZodType<object>
  bodyIsOptional?: boolean
  /** Takes a file as it is in place of JSON. */
  upload?: { type: string; most: number }
  example?: object
  /** Takes an Idempotency-Key. */
  creates?: boolean
  /** Takes an If-Match. */
  changes?: boolean
  answer: { status: 200 | 201 | 202 | 204; about: string; schema?: z.ZodType; tagged?: boolean }
  /** Beside those that any request may meet. */
  refusals?: readonly Code[]
}

export type Program = Caller & { kind: 'program' }

export type Asked<Query, Body> = {
  caller: Program
  workspaceId: string
  /** From the path, where it has one. */
  id: string
  tool: string
  client: string
  /** Where the caller reaches us. */
  origin: string
  /** The rest of the address, with its slashes. */
  path: string
  /** The file that was sent. */
  bytes: Uint8Array
  query: Query
  body: Body
  /** The revision that the caller has read, if it says so. */
  seen: number | undefined
  /** Aborted when the caller hangs up. */
  signal: AbortSignal
}

export type Answer = {
  body: object | null
  /** Members that are sent now and never kept: a secret that is shown once. `note` stands in for them in a replay. */
  once?: { members: Record<string, string>; note: string }
  revision?: number
  location?: string
  replayed?: boolean
}

/** `open`: answers without a key. */
export type Endpoint = { operation: Operation } & (
  | { open: false; run(door: Door, req: Request, prove: () => Promise<Program>, signal: AbortSignal): Promise<Answer> }
  | { open: true; run(door: Door, req: Request): Promise<Answer> }
)

type Understood<S> = S extends z.ZodType ? Camel<z.output<S>> : undefined
type QueryOf<O extends Operation> = Understood<O['query']>
type BodyOf<O extends Operation> = O extends { body: (now: Date) => infer S } ? Understood<S> : undefined

/** A handler understands, does, answers. What it understands is told by its operation, so `act` only does. */
export function endpoint<const O extends Operation>(
  operation: O,
  act: (door: Door, asked: Asked<QueryOf<O>, BodyOf<O>>) => Promise<Answer>,
): Endpoint {
  return {
    operation,
    open: false,
    async run(door, req, prove, signal) {
      const first = await prove()
      const sent = operation.body && (await readJson(req))
      const bytes = operation.upload ? await readUpload(req, operation.upload.most) : NO_BYTES
      // a body may take minutes to arrive: what the key may do is judged by what it is now
      const caller = operation.body || operation.upload ? await prove() : first
      const work = async () =>
        act(door, {
          caller,
          workspaceId: caller.key.workspaceId,
          id: String(req.params.id),
          tool: String(req.params.tool),
          client: String(req.params.client),
          origin: originFor(door.publicUrl, req),
          path: [req.params.path ?? ''].flat().join('/'),
          bytes,
          ...(understand(operation, door.ctx.now(), req, sent) as { query: QueryOf<O>; body: BodyOf<O> }),
          seen: operation.changes ? revisionSeen(req) : undefined,
          signal,
        })
      return operation.creates ? answerOnce(door.ctx, caller.key.id, req, sent, work) : work()
    },
  }
}

export function openEndpoint<const O extends Operation>(
  operation: O,
  act: (door: Door, asked: { req: Request; body: BodyOf<O> }) => Promise<object> | object,
): Endpoint {
  return {
    operation,
    open: true,
    async run(door, req) {
      const { body, bodyIsOptional } = operation
      const sent = body && (await readJson(req))
      const understood = body && parse(body(door.ctx.now()), sent === undefined && bodyIsOptional ? {} : sent)
      return { body: await act(door, { req, body: understood as BodyOf<O> }) }
    },
  }
}

const NO_BYTES = new Uint8Array()
const NOTHING = z.strictObject({})

function understand({ query = NOTHING, body, bodyIsOptional }: Operation, now: Date, req: Request, sent: unknown) {
  return {
    query: parse(query, queryOf(req.url, query), 'query'),
    body: body && parse(body(now), sent === undefined && bodyIsOptional ? {} : sent),
  }
}
