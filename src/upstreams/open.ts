import { CallFailed } from './connection.ts'
import type { Openers } from './pool.ts'

export function openers(): Openers {
  const none = async () => {
    throw new CallFailed({ code: 'upstream_unavailable', stage: 'start', message: 'No wire.', unsent: true })
  }
  return { session: () => none, stateless: () => null, old: () => null }
}
