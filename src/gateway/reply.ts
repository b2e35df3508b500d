import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { cachingOf } from '../http/refusals.ts'

/** The way back to one caller: a plain JSON answer, or an event stream as soon as there is something to say before it. */
export type Reply = {
  /** Something that comes before the answer. False if this caller cannot take it. */
  aside(message: object): boolean
  /** The answer, as JSON text. Once. */
  end(text: string, status?: number): void
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

/** `work` is aborted when the caller hangs up before the answer. */
export function replyTo(req: BunRequest, res: BunAnswer, work: Abortable): Reply {
  return new CallersReply(STREAMS.test(req.headers.accept ?? '*/*'), res, work)
}

type Abortable = { abort(): void }

class CallersReply implements Reply {
  readonly since = performance.now()
  readonly #mayStream: boolean
  readonly #res: BunAnswer
  readonly #work: Abortable
  #streaming = false
  #attended = false
  #ended = false

  constructor(mayStream: boolean, res: BunAnswer, work: Abortable) {
    this.#mayStream = mayStream
    this.#res = res
    this.#work = work
    quick.add(this)
  }

  isOpen(): boolean {
    return !this.#ended
  }

  aside(message: object): boolean {
    if (!this.#mayStream || this.#ended) return false
    this.openStream()
    return writeEvent(this.#res, JSON.stringify(message))
  }

  end(text: string, status = 200): void {
    if (this.#ended) return
    this.#ended = true
    if (!quick.delete(this)) slow.delete(this)
    const res = this.#res
    if (this.#streaming) {
      writeEvent(res, text)
      res.end()
      return
    }
    res.setHeader('Cache-Control', cachingOf(res))
    res.setHeader('Content-Type', 'application/json')
    res.writeHead(status)
    res.end(text)
  }

  /** From now on it matters whether the caller is still there, and that the connection stays. */
  attend(): void {
    if (this.#attended || this.#ended) return
    this.#attended = true
    quick.delete(this)
    if (this.#mayStream) slow.add(this)
    this.#res.mayLast()
    this.#res.onClose(() => {
      if (this.#ended) return
      this.#ended = true
      slow.delete(this)
      this.#work.abort()
    })
  }

  openStream(): void {
    if (this.#streaming || this.#ended) return
    this.attend()
    slow.delete(this)
    this.#streaming = true
    beginStream(this.#res)
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

/** One timer for all, each in the order in which it came: a call that is quick pays neither for one nor for listening. */
const quick = new Set<CallersReply>()
const slow = new Set<CallersReply>()
setInterval(() => {
  const now = performance.now()
  for (const reply of quick) {
    if (reply.since + QUICK_MS > now) break
    reply.attend()
  }
  for (const reply of slow) {
    if (reply.since + SILENCE_MS > now) break
    reply.openStream()
  }
}, QUICK_MS).unref()
