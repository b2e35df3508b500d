import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewHttp,
  SSEClientTransport as NewSse,
} from '@modelcontextprotocol/client'
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as OldSse } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'

export type JsonObject = Record<string, unknown>

/** Where a client connects: to a server's process, to its address, or to ours with a key. */
export type Place =
  | { command: string; args: string[]; env: Record<string, string> }
  | { url: string; headers: Record<string, string> /** HTTP+SSE of 2024-11-05. */; old?: boolean }

export const KINDS = ['SDK 1', 'SDK 2 legacy', 'SDK 2 auto'] as const
export type Kind = (typeof KINDS)[number]

/** What the client declares, and how it answers when the server makes use of it. */
const ABILITIES = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
}
const ANSWERS: Record<string, JsonObject> = {
  'sampling/createMessage': { role: 'assistant', content: { type: 'text', text: 'Sampled.' }, model: 'a-model' },
  'elicitation/create': { action: 'accept', content: { name: 'Ana', check: true } },
}

export type Connected = {
  hello: { serverInfo: unknown; capabilities: unknown; instructions: unknown }
  /** The result or the error as it arrived: nothing here judges it. Progress is kept beside it. */
  ask(method: string, params: JsonObject): Promise<{ answer: unknown; progress: unknown[] }>
  /** Notifications and the server's questions so far, in the order of their arrival. */
  heard: { method: string; params: unknown }[]
  /** Resolves at once if such a thing was heard before. */
  untilHeard(method: string, fits?: (params: JsonObject) => boolean): Promise<void>
  close(): Promise<void>
}

export async function connectTo(place: Place, kind: Kind, able: boolean, root: string): Promise<Connected> {
  const heard: Connected['heard'] = []
  const waiting = new Set<() => void>()
  const note = (method: string, params: unknown) => {
    heard.push({ method, params })
    for (const look of waiting) look()
  }
  const answerTo = async ({ method, params }: { method: string; params?: object }): Promise<JsonObject> => {
    note(method, params)
    return method === 'roots/list' ? { roots: [{ uri: `file://${root}`, name: 'the root' }] } : ANSWERS[method]!
  }
  const client = kind === 'SDK 1' ? older(able, answerTo) : newer(kind, able, answerTo)
  client.onNotification(note)
  await client.connect(place)

  return {
    hello: client.hello(),
    async ask(method, params) {
      const progress: unknown[] = []
      const answer = await client
        .request(method, params, (report) => progress.push(report))
        .catch(({ code, message, data }) => ({ error: { code, message, data } }))
      return { answer, progress }
    },
    heard,
    untilHeard: (method, fits = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          if (!heard.some((one) => one.method === method && fits((one.params ?? {}) as JsonObject))) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    close: client.close,
  }
}

type AnswerTo = (request: { method: string; params?: object }) => Promise<JsonObject>

type Sdk = {
  connect(place: Place): Promise<void>
  hello(): Connected['hello']
  request(method: string, params: JsonObject, onprogress: (report: unknown) => void): Promise<unknown>
  onNotification(note: (method: string, params: unknown) => void): void
  close(): Promise<void>
}

const INFO = { name: 'observer', version: '1.2.3' }
const ANYTHING = z.looseObject({})

function older(able: boolean, answerTo: AnswerTo): Sdk {
  const client = new OldClient(INFO, { capabilities: able ? ABILITIES : {} })
  if (able) {
    client.setRequestHandler(CreateMessageRequestSchema, answerTo as never)
    client.setRequestHandler(ElicitRequestSchema, answerTo as never)
    client.setRequestHandler(ListRootsRequestSchema, answerTo as never)
  }
  return {
    connect(place) {
      if ('command' in place) return client.connect(new OldStdio({ ...place, stderr: 'ignore' }))
      const options = { requestInit: { headers: place.headers } }
      return client.connect(
        place.old ? new OldSse(new URL(place.url), options) : new OldHttp(new URL(place.url), options),
      )
    },
    hello: () => helloOf(client),
    request: (method, params, onprogress) => client.request({ method, params }, ANYTHING, { onprogress }),
    onNotification(note) {
      client.fallbackNotificationHandler = async ({ method, params }) => note(method, params)
    },
    close: () => client.close(),
  }
}

function newer(kind: Kind, able: boolean, answerTo: AnswerTo): Sdk {
  const client = new NewClient(INFO, {
    capabilities: able ? ABILITIES : {},
    versionNegotiation: { mode: kind === 'SDK 2 auto' ? 'auto' : 'legacy' },
  })
  if (able)
    for (const method of ['sampling/createMessage', 'elicitation/create', 'roots/list'] as const)
      client.setRequestHandler(method, answerTo as never)
  return {
    connect(place) {
      if ('command' in place) return client.connect(new NewStdio({ ...place, stderr: 'ignore' }))
      const options = { requestInit: { headers: place.headers } }
      return client.connect(
        place.old ? new NewSse(new URL(place.url), options) : new NewHttp(new URL(place.url), options),
      )
    },
    hello: () => helloOf(client),
    request: (method, params, onprogress) => client.request({ method, params }, ANYTHING, { onprogress }),
    onNotification(note) {
      client.fallbackNotificationHandler = async ({ method, params }) => note(method, params)
    },
    close: () => client.close(),
  }
}

function helloOf(client: OldClient | NewClient): Connected['hello'] {
  return {
    serverInfo: client.getServerVersion(),
    capabilities: client.getServerCapabilities(),
    instructions: client.getInstructions(),
  }
}
