import type { Message } from './connection.ts'

export type Subscriptions = {
  add(line: string, uri: string, who: Subscriber): void
  /** True when nobody is left who wants to hear of it. */
  drop(line: string, uri: string, who: Subscriber): boolean
  /** All of somebody's; answers those that nobody else wants to hear of. */
  dropAll(who: Subscriber): { line: string; uri: string }[]
  of(line: string): string[]
  /** Who is told when it changes. */
  to(line: string, uri: string): Subscriber[]
  forget(line: string): void
}

export type Subscriber = { hear(message: Message): void }

/** Who wants to hear of which resource over which line: many share one, and the server knows but one subscriber. */
export function subscriptionsOf(): Subscriptions {
  const lines = new Map<string, Map<string, Set<Subscriber>>>()

  function drop(line: string, uri: string, who: Subscriber): boolean {
    const uris = lines.get(line)
    const subscribers = uris?.get(uri)
    if (!uris || !subscribers) return true
    subscribers.delete(who)
    if (subscribers.size > 0) return false
    uris.delete(uri)
    if (uris.size === 0) lines.delete(line)
    return true
  }

  return {
    add(line, uri, who) {
      const uris = lines.get(line) ?? new Map<string, Set<Subscriber>>()
      lines.set(line, uris.set(uri, (uris.get(uri) ?? new Set()).add(who)))
    },
    drop,
    dropAll(who) {
      const unwanted: { line: string; uri: string }[] = []
      for (const [line, uris] of [...lines])
        for (const [uri, subscribers] of [...uris])
          if (subscribers.has(who) && drop(line, uri, who)) unwanted.push({ line, uri })
      return unwanted
    },
    of: (line) => [...(lines.get(line)?.keys() ?? [])],
    to: (line, uri) => [...(lines.get(line)?.get(uri) ?? [])],
    forget: (line) => void lines.delete(line),
  }
}
