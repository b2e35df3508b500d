import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { cachingOf } from '../http/refusals.ts'

/** The way back to one caller: a plain JSON answer, or an event stream as soon as there is something to say before it. */
export type Reply = {
  /** Something that comes before the answer. False if this caller cannot take it. */
  aside(message: object): boolean
  /** The answer, as JSON text. Once. */
  end(text: string, status?: number, headers?: Record<string, string>): void
  isOpen(): boolean
}

/** After this long without an answer the stream is opened, so that nobody on the way gives up waiting for headers. */
const SILENCE_MS = 400
/** A call that lasts no longer is answered whether or not its caller has stayed. */
const QUICK_MS = 50
const KEEP_ALIVE_MS = 15_000

export const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
}

const STREAMS = /text\/event-stream|\*\/\*/

/** `gone` is called when the caller hangs up before the answer. */
export function replyTo(req: BunRequest, res: BunAnswer, gone: () => void): Reply {
  const mayStream = STREAMS.test(req.headers.accept ?? '*/*')
  let streaming = false
  let attended = false
  let ended = false
  const waiter: Waiter = { since: performance.now(), attend, openStream }
  quick.add(waiter)

  /** From now on it matters whether the caller is still there, and that the connection stays. */
  function attend(): void {
    if (attended || ended) return
    attended = true
    quick.delete(waiter)
    if (mayStream) slow.add(waiter)
    res.mayLast()
    res.onClose(() => {
      if (ended) return
      ended = true
      slow.delete(waiter)
      gone()
    })
  }

  function openStream(): void {
    if (streaming || ended) return
    attend()
    slow.delete(waiter)
    streaming = true
    beginStream(res)
  }

  return {
    isOpen: () => !ended,
    aside(message) {
      if (!mayStream || ended) return false
      openStream()
      return writeEvent(res, JSON.stringify(message))
    },
    end(text, status = 200, headers) {
      if (ended) return
      ended = true
      if (!quick.delete(waiter)) slow.delete(waiter)
      if (streaming) {
        writeEvent(res, text)
        res.end()
        return
      }
      res.setHeader('Cache-Control', cachingOf(res))
      res.setHeader('Content-Type', 'application/json')
      res.writeHead(status, headers)
      res.end(text)
    },
  }
}

/** Headers and a comment at once, then one every 15 s: no proxy and no client takes the stream for dead. */
export function beginStream(res: BunAnswer): void {
  const strictly = res.getHeader('Cache-Control') // a key in the URL has asked for more already
  res.writeHead(200, { ...STREAM_HEADERS, ...(strictly && { 'Cache-Control': strictly }) })
  res.write(': open\n\n')
  keptAlive.add(res)
  res.onClose(() => keptAlive.delete(res))
}

/** A reader who does not read: what waits for it would fill our memory. */
const MOST_UNREAD_BYTES = 16 * 1024 * 1024

export function writeEvent(res: BunAnswer, data: string): boolean {
  if (res.unread > MOST_UNREAD_BYTES) res.cut()
  const line = /[\r\n]/.test(data) ? data.replace(/[\r\n]+/g, ' ') : data // JSON may be written on several lines, an event not
  return res.write(`event: message\ndata: ${line}\n\n`)
}

const keptAlive = new Set<BunAnswer>()
setInterval(() => {
  for (const res of keptAlive) res.write(': keep-alive\n\n')
}, KEEP_ALIVE_MS).unref()

type Waiter = { since: number; attend(): void; openStream(): void }

/** One timer for all, each in the order in which it came: a call that is quick pays neither for one nor for listening. */
const quick = new Set<Waiter>()
const slow = new Set<Waiter>()
setInterval(() => {
  const now = performance.now()
  for (const waiter of quick) {
    if (waiter.since + QUICK_MS > now) break
    waiter.attend()
  }
  for (const waiter of slow) {
    if (waiter.since + SILENCE_MS > now) break
    waiter.openStream()
  }
}, QUICK_MS).unref()
