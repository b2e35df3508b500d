import type { Environment, Key } from '../core/keys/key.ts'
import type { Mcp } from '../core/mcps/mcp.ts'
import type { Offer } from '../core/mcps/state.ts'
import { allows, reaches } from '../core/policy.ts'
import { asText } from '../core/text.ts'
import type { Change } from '../upstreams/changes.ts'
import type { JsonObject, Message } from '../upstreams/connection.ts'
import type { Lease } from '../upstreams/lease.ts'
import type { Subscriber, Subscriptions } from '../upstreams/subscriptions.ts'
import type { Reply } from './reply.ts'
import type { Session, Sessions } from './sessions.ts'

/** A client of 2026-07-28 that listens, where no single modern server answers for it. */
export type Listener = Subscriber & {
  key: Key
  slugs: (slug: string) => boolean
  wants: Record<string, unknown>
}

export type Listeners = {
  add(key: Key, slugs: Listener['slugs'], wants: Listener['wants'], id: unknown, reply: Reply): Listener
  remove(listener: Listener): void
  /** Something a server said that belongs to no call, over a line that many may share. */
  hear(mcp: Mcp, environment: Environment, message: Message, over: Lease): void
  /** The same over a connection that only one session uses. */
  hearAlone(mcp: Mcp, environment: Environment, message: Message, over: Lease, session: Session): void
  changed(mcp: Mcp, environment: Environment, changes: Change[], over: Lease | null): void
  /** Whether anybody waits for what a server may say unasked. */
  isHeard(mcp: Mcp, environment: Environment): boolean
}

const KIND_OF: Record<string, keyof Offer> = {
  'notifications/tools/list_changed': 'tools',
  'notifications/prompts/list_changed': 'prompts',
  'notifications/resources/list_changed': 'resources',
}

const CHANGE_OF: Record<keyof Offer, { method: string; wanted: string }> = {
  tools: { method: 'notifications/tools/list_changed', wanted: 'toolsListChanged' },
  prompts: { method: 'notifications/prompts/list_changed', wanted: 'promptsListChanged' },
  resources: { method: 'notifications/resources/list_changed', wanted: 'resourcesListChanged' },
  templates: { method: 'notifications/resources/list_changed', wanted: 'resourcesListChanged' },
}

type Options = {
  sessions: () => Sessions
  subscriptions: Subscriptions
  stale: (mcp: Mcp, environment: Environment, kind: keyof Offer, over: Lease) => void
}

export function listenersOf({ sessions, subscriptions, stale }: Options): Listeners {
  const listeners = new Set<Listener>()

  function noteChange(mcp: Mcp, environment: Environment, { method = '' }: Message, over: Lease): void {
    if (Object.hasOwn(KIND_OF, method)) stale(mcp, environment, KIND_OF[method]!, over)
  }

  return {
    add(key, slugs, wants, id, reply) {
      const listener: Listener = {
        key,
        slugs,
        wants,
        hear: (message) => void reply.aside(withSubscription(message, id)),
      }
      listeners.add(listener)
      const method = 'notifications/subscriptions/acknowledged'
      listener.hear({ jsonrpc: '2.0', method, params: { notifications: wants } } as Message)
      return listener
    },
    remove: (listener) => void listeners.delete(listener),
    hear(mcp, environment, message, over) {
      noteChange(mcp, environment, message, over) // told once it is known whose list has changed
      if (message.method !== 'notifications/resources/updated') return // about somebody's call, and nobody knows whose
      for (const one of subscriptions.to(over.line, asText(message.params?.uri))) one.hear(message)
    },
    hearAlone(mcp, environment, message, over, session) {
      noteChange(mcp, environment, message, over)
      session.hear(message)
    },
    changed(mcp, environment, changes, over) {
      const told = new Map<string, Set<Subscriber>>()
      const isMeant = (key: Key) => over === null || over.keyId === null || over.keyId === key.id
      for (const change of changes) {
        const { method, wanted } = CHANGE_OF[change.kind]
        const already = told.get(method) ?? new Set()
        told.set(method, already)
        const tell = (one: Subscriber) => {
          if (!already.has(one)) one.hear({ jsonrpc: '2.0', method } as Message)
          already.add(one)
        }
        for (const session of sessions().all())
          if (isAt(session, mcp) && isMeant(session.key) && sees(session.key, mcp, environment, change)) tell(session)
        for (const listener of listeners)
          if (
            listener.slugs(mcp.slug) &&
            listener.wants[wanted] === true &&
            isMeant(listener.key) &&
            sees(listener.key, mcp, environment, change)
          )
            tell(listener)
      }
    },
    isHeard(mcp, environment) {
      for (const session of sessions().all())
        if (session.hasStream() && isAt(session, mcp) && concerns(session.key, mcp, environment)) return true
      for (const { key, slugs } of listeners) if (slugs(mcp.slug) && concerns(key, mcp, environment)) return true
      return false
    },
  }
}

function isAt(session: Session, { slug }: Mcp): boolean {
  return session.slug === null || session.slug === slug
}

function concerns(key: Key, mcp: Mcp, environment: Environment): boolean {
  return key.workspaceId === mcp.workspaceId && key.environment === environment && reaches(key, mcp.slug)
}

/** Only those hear of a change who see it in their list. */
function sees(key: Key, mcp: Mcp, environment: Environment, { kind, names }: Change): boolean {
  if (!concerns(key, mcp, environment)) return false
  if (kind !== 'tools') return allows(key, { slug: mcp.slug, tool: null })
  return names.some((tool) => allows(key, { slug: mcp.slug, tool }))
}

function withSubscription(message: Message, id: unknown): Message {
  const meta = { ...(message.params?._meta as JsonObject | undefined), 'io.modelcontextprotocol/subscriptionId': id }
  return { ...message, params: { ...message.params, _meta: meta } }
}
