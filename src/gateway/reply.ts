import type { IncomingMessage, ServerResponse } from 'node:http'
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
const KEEP_ALIVE_MS = 15_000

export const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
}

const STREAMS = /text\/event-stream|\*\/\*/

/** `gone` is called when the caller hangs up before the answer. */
export function replyTo(req: IncomingMessage, res: ServerResponse, gone: () => void): Reply {
  const mayStream = STREAMS.test(req.headers.accept ?? '*/*')
  let streaming = false
  let ended = false
  const waiter = mayStream ? { until: performance.now() + SILENCE_MS, openStream } : null
  if (waiter) waiting.add(waiter)
  res.once('close', () => {
    if (ended) return
    ended = true
    if (waiter) waiting.delete(waiter)
    gone()
  })

  function openStream(): void {
    if (streaming || ended) return
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
    end(text, status = 200, headers = {}) {
      if (ended) return
      ended = true
      if (waiter) waiting.delete(waiter)
      if (streaming) {
        writeEvent(res, text)
        res.end()
        return
      }
      res.writeHead(status, { ...noStore(res), 'Content-Type': 'application/json', ...headers })
      res.end(text)
    },
  }
}

/** Headers and a comment at once, then one every 15 s: no proxy and no client takes the stream for dead. */
export function beginStream(res: ServerResponse): void {
  res.writeHead(200, { ...STREAM_HEADERS, ...(res.hasHeader('Cache-Control') && noStore(res)) })
  res.write(': open\n\n')
  keptAlive.add(res)
  res.once('close', () => keptAlive.delete(res))
}

/** A key in the URL has asked for more already. */
function noStore(res: ServerResponse): Record<string, string> {
  return { 'Cache-Control': cachingOf(res) }
}

/** A reader who does not read: what waits for it would fill our memory. */
const MOST_UNREAD_BYTES = 16 * 1024 * 1024

export function writeEvent(res: ServerResponse, data: string): boolean {
  if (res.writableEnded || res.destroyed) return false
  if (res.writableLength > MOST_UNREAD_BYTES) {
    res.destroy()
    return false
  }
  const line = /[\r\n]/.test(data) ? data.replace(/[\r\n]+/g, ' ') : data // JSON may be written on several lines, an event not
  res.write(`event: message\ndata: ${line}\n\n`)
  return true
}

const keptAlive = new Set<ServerResponse>()
setInterval(() => {
  for (const res of keptAlive) if (!res.writableEnded && !res.destroyed) res.write(': keep-alive\n\n')
}, KEEP_ALIVE_MS).unref()

/** One timer for all, in the order in which their patience ends: a call that is quick pays for none. */
const waiting = new Set<{ until: number; openStream(): void }>()
setInterval(() => {
  const now = performance.now()
  for (const waiter of waiting) {
    if (waiter.until > now) break
    waiting.delete(waiter)
    waiter.openStream()
  }
}, 50).unref()
