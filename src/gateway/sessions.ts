import { randomBytes } from 'node:crypto'
import type { Key } from '../core/keys/key.ts'
import { Refusal } from '../core/refusal.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { Message } from '../upstreams/connection.ts'
import type { Introduction } from '../upstreams/handshake.ts'
import type { Lease } from '../upstreams/lease.ts'
import type { Subscriber } from '../upstreams/subscriptions.ts'
import type { Reply } from './reply.ts'
import { beginStream, writeEvent } from './reply.ts'
import { clientName } from './turn.ts'

/** A request of the client's; clients have been seen to give several the same id. */
export type UnderWay = { readonly message: Message; readonly reply: Reply; abort(): void }

/** An older client between its handshake and its end. The id is no credential: each request proves its key anew. */
export type Session = Subscriber & {
  id: string
  /** As it was proven by the latest request; ended when it changes. */
  key: Key
  /** The one MCP it speaks to, or null at the address of all. */
  slug: string | null
  introduction: Introduction
  /** As it announced itself. */
  client: string | null
  usedAt: number
  /** Its half hour of idleness begins anew. */
  used(): void
  /** The latest last: there goes a server's question that nothing ties to a call. */
  underWay: Set<UnderWay>
  uses(lease: Lease): void
  /** The connections that nobody else's calls run over. */
  own(): Lease[]
  /** Passes a server's question on, under an id of our own. */
  ask(lease: Lease, message: Message, reply: Reply | null): void
  answered(message: Message): void
  openStream(res: BunAnswer): void
  hasStream(): boolean
  /** Nothing is under way, and nobody listens. */
  isIdle(): boolean
  onEnd(heard: () => void): void
  isOver(): boolean
  close(): void
}

const IDLE_MS = 30 * 60_000
const MOST_FOR_A_KEY = 1000
const MOST_WAITING = { messages: 100, bytes: 4 * 1024 * 1024 }
const MOST_OPEN_QUESTIONS = 100

export type Sessions = {
  begin(key: Key, slug: string | null, introduction: Introduction): Session
  /** Another key's session does not exist. */
  find(id: string | undefined, key: Key, slug: string | null): Session
  end(session: Session): void
  all(): Iterable<Session>
  close(): void
}

export function sessionsOf(ended: (session: Session) => void, now: () => number): Sessions {
  const sessions = new Map<string, Session>()
  const sweeper = setInterval(() => {
    for (const session of sessions.values()) if (session.isIdle() && now() - session.usedAt > IDLE_MS) end(session)
  }, 60_000)
  sweeper.unref()

  function end(session: Session): void {
    if (!sessions.delete(session.id)) return
    session.close()
    ended(session)
  }

  return {
    begin(key, slug, introduction) {
      makeRoom(key.id)
      const session = newSession(key, slug, introduction, now)
      sessions.set(session.id, session)
      return session
    },
    find(id, key, slug) {
      if (id === undefined)
        throw new Refusal('bad_request', 'Begin with `initialize` and send the Mcp-Session-Id it answers with.')
      const session = sessions.get(id)
      if (!session || session.key.id !== key.id || session.slug !== slug) throw new UnknownSession()
      session.key = key
      return session
    },
    end,
    all: () => sessions.values(),
    close() {
      clearInterval(sweeper)
      for (const session of [...sessions.values()]) end(session)
    },
  }

  function makeRoom(keyId: string): void {
    const own = [...sessions.values()].filter((session) => session.key.id === keyId)
    if (own.length < MOST_FOR_A_KEY) return
    const oldest = own.filter((session) => session.isIdle()).sort((a, b) => a.usedAt - b.usedAt)[0] ?? own[0]!
    end(oldest)
  }
}

/** 404 with -32001 makes clients begin again by themselves. */
export class UnknownSession extends Error {
  override name = 'UnknownSession'
}

function newSession(key: Key, slug: string | null, introduction: Introduction, now: () => number): Session {
  const asked = new Map<string, { lease: Lease; id: unknown }>()
  const waiting: string[] = []
  let bytes = 0
  const endings: (() => void)[] = []
  let stream: BunAnswer | null = null
  let lastQuestion = 0
  let leases = new Set<Lease>()
  let over = false

  const session: Session = {
    id: randomBytes(24).toString('base64url'),
    key,
    slug,
    introduction,
    client: clientName(introduction.clientInfo),
    usedAt: now(),
    used() {
      session.usedAt = now()
    },
    underWay: new Set(),
    uses(lease) {
      if (lease.dedicated && !leases.has(lease)) leases = new Set([...leases].filter((one) => one.isOpen())).add(lease)
    },
    own: () => [...leases].filter((lease) => lease.isOpen()),
    hear(message) {
      const text = JSON.stringify(message)
      if (stream && writeEvent(stream, text)) return
      waiting.push(text)
      bytes += text.length
      while (waiting.length > MOST_WAITING.messages || bytes > MOST_WAITING.bytes) bytes -= waiting.shift()!.length
    },
    ask(lease, message, reply) {
      if (asked.size >= MOST_OPEN_QUESTIONS)
        return lease.connection.respond(message.id, {
          error: { code: -32603, message: 'Too many questions are open.' },
        })
      const id = `claviger-${++lastQuestion}`
      asked.set(id, { lease, id: message.id })
      const question = { ...message, id }
      const way = reply ?? [...session.underWay].at(-1)?.reply
      if (!way?.aside(question)) session.hear(question)
    },
    answered(message) {
      const question = asked.get(message.id as string)
      if (!question) return
      asked.delete(message.id as string)
      question.lease.connection.respond(
        question.id,
        message.error ? { error: message.error } : { result: message.result ?? {} },
      )
    },
    openStream(res) {
      stream?.end()
      stream = res
      beginStream(res)
      res.onClose(() => {
        if (stream === res) stream = null
        session.used()
      })
      for (const text of waiting.splice(0)) writeEvent(res, text)
      bytes = 0
    },
    hasStream: () => stream !== null,
    isIdle: () => stream === null && session.underWay.size === 0,
    onEnd: (heard) => void endings.push(heard),
    isOver: () => over,
    close() {
      over = true
      for (const heard of endings) heard()
      stream?.end()
      for (const one of session.underWay) one.abort()
      for (const { lease, id } of asked.values())
        lease.connection.respond(id, { error: { code: -32603, message: 'The client is gone.' } })
    },
  }
  return session
}
