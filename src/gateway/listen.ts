import type { Environment, Key } from '../core/keys/key.ts'
import type { Mcp } from '../core/mcps/mcp.ts'
import type { Offer } from '../core/mcps/state.ts'
import { allows, reaches } from '../core/policy.ts'
import type { JsonObject, Message } from '../upstreams/connection.ts'
import type { Reply } from './reply.ts'
import type { Session, Sessions } from './sessions.ts'

/** A client of 2026-07-28 that listens, where no single modern server answers for it. */
export type Listener = {
  key: Key
  slugs: (slug: string) => boolean
  wants: Record<string, unknown>
  id: unknown
  reply: Reply
}

export type Listeners = {
  /** Until the returned function is called. */
  add(listener: Listener): () => void
  /** Something a server said that belongs to no call: to the one session meant, or to all whom it concerns. */
  hear(mcp: Mcp, environment: Environment, message: Message, session: Session | null): void
  changed(mcp: Mcp, environment: Environment, kinds: (keyof Offer)[]): void
}

const WANTED_AS: Record<string, string> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
}

const CHANGE_OF: Record<keyof Offer, string> = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
  templates: 'notifications/resources/list_changed',
}

type Options = { sessions: () => Sessions; stale: (mcp: Mcp, environment: Environment) => void }

export function listenersOf({ sessions, stale }: Options): Listeners {
  const listeners = new Set<Listener>()

  function tellAll(mcp: Mcp, environment: Environment, message: Message): void {
    for (const session of sessions().all()) {
      if (!concerns(session.key, mcp, environment, message) || (session.slug !== null && session.slug !== mcp.slug))
        continue
      if (
        message.method === 'notifications/resources/updated' &&
        !session.subscriptions.has(String(message.params?.uri))
      )
        continue
      session.say(message)
    }
    for (const listener of listeners) {
      if (concerns(listener.key, mcp, environment, message) && listener.slugs(mcp.slug) && wants(listener, message))
        tell(listener, message)
    }
  }

  return {
    add(listener) {
      listeners.add(listener)
      const { wants: asked, id } = listener
      const meta = { 'io.modelcontextprotocol/subscriptionId': id }
      listener.reply.aside({
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: asked, _meta: meta },
      })
      return () => void listeners.delete(listener)
    },
    hear(mcp, environment, message, session) {
      if (message.method && Object.hasOwn(WANTED_AS, message.method)) stale(mcp, environment)
      if (session) session.say(message)
      else if (
        message.method &&
        (Object.hasOwn(WANTED_AS, message.method) || message.method === 'notifications/resources/updated')
      )
        tellAll(mcp, environment, message)
      // Whatever else a shared server says is about somebody's call, and nobody knows whose.
    },
    changed(mcp, environment, kinds) {
      for (const method of new Set(kinds.map((kind) => CHANGE_OF[kind])))
        tellAll(mcp, environment, { jsonrpc: '2.0', method } as Message)
    },
  }
}

/** Changes of prompts and resources are for those who may use them; of tools, for all who reach the server. */
function concerns(key: Key, mcp: Mcp, environment: Environment, message: Message): boolean {
  if (key.workspaceId !== mcp.workspaceId || key.environment !== environment || !reaches(key, mcp.slug)) return false
  return message.method === 'notifications/tools/list_changed' || allows(key, { slug: mcp.slug, tool: null })
}

function wants({ wants: asked }: Listener, message: Message): boolean {
  if (message.method === 'notifications/resources/updated')
    return Array.isArray(asked.resourceSubscriptions) && asked.resourceSubscriptions.includes(message.params?.uri)
  return asked[WANTED_AS[message.method!] ?? ''] === true
}

function tell(listener: Listener, message: Message): void {
  const meta = {
    ...(message.params?._meta as JsonObject | undefined),
    'io.modelcontextprotocol/subscriptionId': listener.id,
  }
  listener.reply.aside({ ...message, params: { ...message.params, _meta: meta } })
}
