import type { Log } from '../log.ts'
import { CallFailed } from './connection.ts'
import { RpcError } from './handshake.ts'
import type { Failure } from './wire.ts'

export type Trouble = { failures: number; retryAt: number; failure: Failure; at: Date }

export type Troubles = {
  /** Throws what went wrong last, as long as it is too early to try again. */
  refuseWhileBackingOff(place: string): void
  /** Notes that a place could not be reached, and answers what to tell those who waited for it. */
  note(place: string, slug: string, error: unknown): Error
  over(place: string): void
  last(place: string): Trouble | null
}

const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000

/** A server that is down is tried ever more rarely, by everybody together. */
export function troublesOf(now: () => Date, log: Log): Troubles {
  const troubles = new Map<string, Trouble>()

  return {
    refuseWhileBackingOff(place) {
      const trouble = troubles.get(place)
      if (trouble && trouble.retryAt > now().getTime()) throw new CallFailed({ ...trouble.failure, unsent: true })
    },
    note(place, slug, error) {
      const failure = error instanceof CallFailed ? error.failure : REFUSED
      const failures = (troubles.get(place)?.failures ?? 0) + 1
      const wait = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1)) * (0.75 + Math.random() / 2)
      troubles.set(place, { failures, retryAt: now().getTime() + wait, failure, at: now() })
      const { stage, message } = failure
      log.warn('An upstream could not be reached', { mcp: slug, stage, why: message, failures })
      if (!(error instanceof CallFailed) && !(error instanceof RpcError)) log.error('Unexpected error', { error })
      return error instanceof CallFailed ? error : new CallFailed(failure)
    },
    over: (place) => void troubles.delete(place),
    last: (place) => troubles.get(place) ?? null,
  }
}

const REFUSED: Failure = {
  code: 'upstream_unavailable',
  stage: 'handshake',
  message: 'The MCP server refused the handshake.',
  unsent: true,
}
