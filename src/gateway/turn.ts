import type { ActivityLine } from '../core/activity.ts'
import type { Context } from '../core/context.ts'
import type { Key } from '../core/keys/key.ts'
import type { Ring } from '../core/keys/ring.ts'
import type { Shelf } from '../core/mcps/shelf.ts'
import type { On } from '../http/authenticate.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import type { Recorder } from '../http/record.ts'
import type { Log } from '../log.ts'
import type { Catalogue } from '../upstreams/catalogue.ts'
import type { JsonObject, Message } from '../upstreams/connection.ts'
import type { Era } from '../upstreams/handshake.ts'
import type { Pool } from '../upstreams/pool.ts'
import type { StopSignal } from '../upstreams/stop.ts'
import type { Listeners } from './listen.ts'
import type { Reply } from './reply.ts'
import type { Session, Sessions } from './sessions.ts'
import type { Tasks } from './tasks.ts'
import type { Watch } from './watch.ts'

/** What the gateway's parts share. */
export type Gateway = {
  ctx: Context
  ring: Ring
  shelf: Shelf
  pool: Pool
  catalogue: Catalogue
  sessions: Sessions
  listeners: Listeners
  tasks: Tasks
  watch: Watch
  /** What would never end by itself. */
  streams: Set<{ abort(): void }>
  recorder: Recorder
  /** How a key is asked for here. */
  asking: On
  log: Log
  version: string
}

/** One request of a client's, from its proof to its answer. */
export type Turn = {
  req: BunRequest
  res: BunAnswer
  key: Key
  era: Era
  session: Session | null
  message: Message & { method: string }
  reply: Reply
  /** Aborted when the caller hangs up or cancels, or when the key ends. */
  signal: StopSignal
  /** What the activity line will say. */
  note: { mcp: string | null; tool: string | null; upstreamMs: number | null; outcome: ActivityLine['outcome'] }
}

export function paramsOf(turn: Turn): JsonObject {
  return turn.message.params ?? {}
}

/** `claude-code 2.1.329`, as the client announced itself. */
export function clientName(info: JsonObject | undefined): string | null {
  if (typeof info?.name !== 'string') return null
  const version = typeof info.version === 'string' ? ` ${info.version}` : ''
  return `${info.name}${version}`.replace(CONTROLS, ' ').slice(0, 100)
}

const CONTROLS = /\p{Cc}/gu

export function announcedBy(message: Message, session: Session | null): string | null {
  const meta = message.params?._meta as JsonObject | undefined
  const info = meta?.['io.modelcontextprotocol/clientInfo'] as JsonObject | undefined
  return info === undefined && session ? session.client : clientName(info)
}
