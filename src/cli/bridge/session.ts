import { pause } from '../../upstreams/pause.ts'
import { type Message, oneLine } from './message.ts'
import { discard, longer, readEvents, WAIT_MS, type Wire } from './wire.ts'

const LAST_WORD_MS = 1_000
/** Asking again must not be what keeps a refused client over its limit. */
const REFUSED_MS = 60_000

/** What the older protocol keeps of a conversation; over the newer one all of it stays empty. */
export function sessionOver(wire: Wire, write: (text: string) => void, over: AbortSignal) {
  /** What a new session must be told to be as the old one was: the handshake, then subscriptions and the like. */
  const told = new Map<string, string>()
  let session: string | null = null
  let version: string | null = null
  let renewing: Promise<Refused | null> | null = null
  let listening: AbortController | null = null

  function remember({ method, params }: Message, text: string): void {
    if (method === 'resources/subscribe') told.set(`uri ${params?.uri}`, text)
    else if (method === 'resources/unsubscribe') told.delete(`uri ${params?.uri}`)
    else if (method && ['initialize', 'notifications/initialized', 'logging/setLevel'].includes(method))
      told.set(method, text)
  }

  function headers(): Record<string, string> {
    return {
      ...(session !== null && { 'Mcp-Session-Id': session }),
      ...(version !== null && { 'MCP-Protocol-Version': version }),
    }
  }

  /** Notifications, and answers to what the server asked: nobody waits for more than their receipt. */
  async function say(text: string): Promise<void> {
    if (version === null) return // the newer protocol has none
    await wire.post(text, headers(), over).then(discard, () => {})
  }

  /** The server has started anew and knows our session no more; the client need not notice. Else why not: the next one asks again. */
  async function renew(lost: string): Promise<Refused | null> {
    if (session !== lost) return renewing
    renewing ??= begin().finally(() => {
      renewing = null
    })
    return renewing
  }

  async function begin(): Promise<Refused | null> {
    const answer = await wire.post(told.get('initialize')!, {}, over)
    if (!answer.ok) return refusedWith(answer)
    session = answer.headers.get('mcp-session-id')
    await discard(answer)
    listening?.abort()
    if (session === null) return null
    for (const [name, text] of told) if (name !== 'initialize') await say(text)
    void listen()
    return null
  }

  /** What the server says unasked, for as long as there is a session. */
  async function listen(): Promise<void> {
    const mine = new AbortController()
    listening = mine
    const signal = AbortSignal.any([mine.signal, over])
    for (let waitMs = WAIT_MS.first, longestMs = WAIT_MS.longest; !signal.aborted; waitMs = longer(waitMs, longestMs)) {
      const used = session
      longestMs = WAIT_MS.longest
      try {
        const answer = await wire.listen(headers(), signal)
        if (answer.ok) {
          waitMs = WAIT_MS.first
          await readEvents(answer, (text) => write(oneLine(text)))
        } else {
          await discard(answer)
          const { status } = answer
          if (status === 404 && used !== null) await renew(used)
          else if (status === 404 || status === 405)
            return // nothing is said there unasked
          else if (status < 500) longestMs = REFUSED_MS
        }
      } catch {
        // broken off, or not reachable just now: opened again below
      }
      await pause(waitMs, signal)
    }
  }

  return {
    id: () => session,
    began: (id: string | null) => {
      session = id
    },
    agreed: (revision: string) => {
      version = revision
    },
    remember,
    headers,
    say,
    renew,
    listen,
    async leave(): Promise<void> {
      if (session !== null) await wire.leave(headers(), AbortSignal.timeout(LAST_WORD_MS))
    },
  }
}

/** The same answer for each request that waited for it. */
type Refused = () => Response

async function refusedWith({ status, headers, body }: Response): Promise<Refused> {
  const text = await new Response(body).text()
  return () => new Response(text, { status, headers: { 'content-type': headers.get('content-type') ?? '' } })
}
