import { onTestFinished } from 'vitest'
import type { Failure, OpenWire, Wire } from '../../src/upstreams/wire.ts'

export type Heard =
  | { kind: 'message'; message: JsonRpc; text: string; exchange: number | null }
  | { kind: 'failed'; id: number; failure: Failure }
  | { kind: 'closed'; failure: Failure }

export type JsonRpc = {
  id?: unknown
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { code: number; message: string }
}

export type Listening = {
  wire: Wire
  heard: Heard[]
  /** The first event of which this is true, heard already or yet to come. */
  until<T extends Heard>(is: (heard: Heard) => heard is T): Promise<T>
  ask(id: number, method: string, params?: object, headers?: Record<string, string>): Promise<JsonRpc>
  say(method: string, params?: object): void
  fails(id: number): Promise<Failure>
  closed(): Promise<Failure>
  /** A legacy handshake, up to `ready` and notifications/initialized. */
  shakeHands(capabilities?: object): Promise<JsonRpc>
}

/** Opens a wire and keeps all that it says; closes it when the test ends. */
export async function listen(open: OpenWire): Promise<Listening> {
  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  const hear = (event: Heard) => {
    heard.push(event)
    for (const look of waiting) look()
  }
  const wire = await open({
    message: (text, exchange) => hear({ kind: 'message', message: parsed(text), text, exchange }),
    failed: (id, failure) => hear({ kind: 'failed', id, failure }),
    closed: (failure) => hear({ kind: 'closed', failure }),
  })
  onTestFinished(() => wire.close())

  function until<T extends Heard>(is: (event: Heard) => event is T): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const found = heard.find(is)
        if (!found) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  }

  const answered =
    (id: number) =>
    (event: Heard): event is Extract<Heard, { kind: 'message' }> =>
      event.kind === 'message' && event.message.id === id && event.message.method === undefined

  async function ask(id: number, method: string, params?: object, headers?: Record<string, string>): Promise<JsonRpc> {
    wire.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }), { id, headers })
    return (await until(answered(id))).message
  }
  const say = (method: string, params?: object) => wire.send(JSON.stringify({ jsonrpc: '2.0', method, params }))

  return {
    wire,
    heard,
    until,
    ask,
    say,
    fails: async (id) =>
      (await until((e): e is Extract<Heard, { kind: 'failed' }> => e.kind === 'failed' && e.id === id)).failure,
    closed: async () => (await until((e): e is Extract<Heard, { kind: 'closed' }> => e.kind === 'closed')).failure,
    async shakeHands(capabilities = {}) {
      const hello = await ask(0, 'initialize', {
        protocolVersion: '2025-11-25',
        capabilities,
        clientInfo: { name: 'test', version: '1' },
      })
      wire.ready?.(String(hello.result?.protocolVersion))
      say('notifications/initialized')
      return hello
    },
  }
}

/** A request on the heels of the greeting, which the server accepts only then, and one that nobody waits for any more. */
export async function askOnTheHeels({ ask, say, shakeHands, wire }: Listening, accept: () => void): Promise<void> {
  await shakeHands()
  const asked = ask(1, 'tools/list')
  wire.send('{"jsonrpc":"2.0","id":2,"method":"given/up"}', { id: 2 })
  say('notifications/cancelled', { requestId: 2 })
  await Bun.sleep(50) // in which it would have overtaken
  accept()
  await asked
  await ask(3, 'ping')
}

function parsed(text: string): JsonRpc {
  try {
    return JSON.parse(text) as JsonRpc
  } catch {
    return {}
  }
}
