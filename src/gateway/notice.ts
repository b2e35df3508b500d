import type { Message } from '../upstreams/connection.ts'
import type { Session } from './sessions.ts'

/** Notifications, and answers to what a server asked: taken, and answered with nothing. */
export function takeNotice(session: Session, message: Message): void {
  session.used()
  if (message.method === undefined) session.answered(message)
  else if (message.method === 'notifications/cancelled') cancel(session, message.params?.requestId)
  else if (message.method !== 'notifications/initialized')
    for (const lease of session.own()) lease.connection.notify(message.method, message.params)
}

/** Clients have been seen to give several requests one id: then nobody knows which is meant, and none is cancelled. */
function cancel(session: Session, id: unknown): void {
  const meant = [...session.underWay].filter((one) => one.message.id === id)
  if (meant.length === 1) meant[0]!.abort()
}
