import { pause } from '../../upstreams/pause.ts'
import { sseReader } from '../../upstreams/sse.ts'
import { VERSION } from '../../version.ts'

export const LIMIT_BYTES = 64 * 1024 * 1024
const PATIENCE_MS = 30_000
export const WAIT_MS = { first: 250, longest: 5_000 }

type Headers = Record<string, string>
export type Wire = ReturnType<typeof wireTo>

/** HTTP to one endpoint, with the key in a header. */
export function wireTo(url: string, key: string) {
  const ours = {
    Authorization: `Bearer ${key}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'User-Agent': `claviger-bridge/${VERSION}`,
  }

  function send(method: string, headers: Headers, signal: AbortSignal, body?: string): Promise<Response> {
    // without Bun's own five minutes; a redirect could carry the key elsewhere
    const options = { method, headers: { ...ours, ...headers }, body, signal, redirect: 'manual', timeout: false }
    return fetch(url, options as BunFetchRequestInit)
  }

  /** Tries again only what cannot have arrived: while nothing listens there, or it says that it is shutting down. */
  async function post(body: string, headers: Headers, signal: AbortSignal): Promise<Response> {
    const since = performance.now()
    for (let waitMs = WAIT_MS.first; ; waitMs = longer(waitMs)) {
      const mayWait = performance.now() - since < PATIENCE_MS
      try {
        const answer = await send('POST', headers, signal, body)
        if (answer.status !== 503 || !answer.headers.has('retry-after') || !mayWait) return answer
        await discard(answer)
      } catch (error) {
        if (signal.aborted || !mayWait || !isRefusedConnection(error)) throw error
      }
      await pause(waitMs, signal)
    }
  }

  return {
    url,
    post,
    listen: (headers: Headers, signal: AbortSignal) => send('GET', { ...headers, Accept: 'text/event-stream' }, signal),
    leave: (headers: Headers, signal: AbortSignal) => send('DELETE', headers, signal).then(discard, () => {}),
  }
}

export function longer(waitMs: number, longestMs = WAIT_MS.longest): number {
  return Math.min(waitMs * 2, longestMs)
}

export async function readEvents(answer: Response, take: (text: string) => void): Promise<void> {
  const hear = sseReader(LIMIT_BYTES, {
    event({ data, type }) {
      if (type === 'message') take(data)
    },
  })
  for await (const piece of answer.body ?? []) hear(piece as Uint8Array)
}

export async function discard(answer: Response): Promise<void> {
  await answer.body?.cancel().catch(() => {})
}

export function sentenceFor(url: string, error: unknown): string {
  const { origin } = new URL(url)
  if (isRefusedConnection(error)) return `Nothing answers at ${origin}. Is Claviger running there?`
  return `The connection to ${origin} broke: ${(error as Error).message}. Try again.`
}

function isRefusedConnection(error: unknown): boolean {
  return ['ConnectionRefused', 'ECONNREFUSED'].includes(String((error as { code?: unknown }).code))
}
