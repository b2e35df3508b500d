import type { Mcp } from '../core/mcps/mcp.ts'
import type { Audience } from './audience.ts'
import type { Connection, JsonObject, Message } from './connection.ts'
import type { Era, Hello, Introduction } from './handshake.ts'

/** On whose behalf an upstream is reached. */
export type Party = {
  era: Era
  keyId: string
  /** Of an older client: it may be asked back (sampling, elicitation, roots), so it has a session of its own. */
  session: SessionParty | null
  /** Where lists alone are read: for whom. */
  audience?: Audience
}

export type SessionParty = {
  id: string
  introduction: Introduction
  /** Nothing more is opened for it. */
  isOver(): boolean
  /** Ends it if nothing of it is under way and nobody listens: its client can begin again. False if it stays. */
  makesRoom(): boolean
  unasked(mcp: Mcp, lease: Lease, message: Message): void
}

export type Lease = {
  connection: Connection
  hello: Hello
  /** Nobody else's calls run over it: what the server asks can be meant for this party only. */
  dedicated: boolean
  /** Whose calls alone run over it; null: everybody's. */
  keyId: string | null
  /** Stays the same when it is connected anew. */
  line: string
  isOpen(): boolean
}

/** Begins the scope of a connection that only reads lists, in the name of clients that can be asked back. */
export const LISTS_FOR = 'lists:'

/** Who shares a connection, and whose alone it is. */
export type Scope = { name: string; session: SessionParty | null }

/** Older clients that can be asked back, and servers kept apart by session, get a connection of their own. */
export function scopeOf(mcp: Mcp, { keyId, session, audience }: Party): Scope {
  const dedicated =
    session !== null && (mcp.isolation === 'per-session' || canBeAsked(session.introduction.capabilities))
  if (dedicated) return { name: `session:${session.id}`, session }
  if (audience?.era === 'legacy' && audience.can.length > 0)
    return { name: `${LISTS_FOR}${audience.can.join('+')}`, session: null }
  return { name: mcp.isolation === 'shared' ? 'shared' : `key:${keyId}`, session: null }
}

function canBeAsked({ sampling, elicitation, roots }: JsonObject): boolean {
  return sampling !== undefined || elicitation !== undefined || roots !== undefined
}
