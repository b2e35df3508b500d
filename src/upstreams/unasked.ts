import type { Asker } from './asker.ts'
import { type Exchange, isStream } from './exchange.ts'
import { pause } from './pause.ts'
import { sseReader } from './sse.ts'
import type { WireEvents } from './wire.ts'

const WAIT_MS = { first: 1_000, longest: 30_000 }

/** The stream for what the server says unasked; many have none. Calls do not wait for it. */
export async function listenForUnasked(
  exchange: Exchange,
  asking: Asker,
  limit: number,
  events: WireEvents,
): Promise<void> {
  let lastId: string | null = null
  let firstWaitMs = WAIT_MS.first
  let failures = 0
  while (!asking.gone) {
    try {
      const headers: Record<string, string> = { ...asking.headers, Accept: 'text/event-stream' }
      if (lastId !== null) headers['Last-Event-ID'] = lastId
      const answer = await exchange({ method: 'GET', headers, signal: asking.ended })
      if (isStream(answer)) {
        const hear = sseReader(limit, {
          event({ data, type }) {
            failures = 0
            if (type === 'message') events.message(data, null)
          },
          id(given) {
            lastId = given
          },
          retry(milliseconds) {
            firstWaitMs = Math.min(milliseconds, WAIT_MS.longest)
          },
        })
        await answer.read(hear)
      } else {
        answer.cancel()
        const never = answer.status < 500 && answer.status !== 429
        if (never && lastId === null) return
        if (never) lastId = null
      }
    } catch {
      // broken off, or not reachable just now: it is opened again below
    }
    const waitMs = Math.min(WAIT_MS.longest, firstWaitMs * 2 ** failures++)
    await pause(waitMs * (0.75 + Math.random() / 2), asking.ended)
  }
}
