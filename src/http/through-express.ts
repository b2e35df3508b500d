import { EventEmitter } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Express, Response as ExpressResponse, Request } from 'express'
import { Refusal } from '../core/refusal.ts'
import type { BunAnswer } from './bun-answer.ts'
import type { BunRequest } from './bun-request.ts'

/**
 * A request of Bun's, answered by Express: it is given Node's own request and response, which read from Bun's and
 * collect the answer. Pages and REST are never so large that they had to go piece by piece. `failed` hears what even
 * the site's pages for errors could not answer, of which Express would show the stack.
 */
export function throughExpress(site: Express, from: BunRequest, to: BunAnswer, failed: (error: unknown) => void): void {
  const req = requestFor(from, () => to.mayLast())
  const res = responseFor(req, to)
  to.onClose(() => {
    if (res.writableEnded) return
    req.destroy(endedEarly())
    res.destroy()
  })
  site(req as Request, res as ExpressResponse, failed)
}

/** No mistake of ours: whoever hangs up in the middle of a body fills no log. */
function endedEarly(): Refusal {
  return new Refusal('bad_request', 'The body ended early.')
}

/** Own members where Node's would look for a socket: Express changes the prototype. */
function requestFor({ request, method, url, headers, seen, log }: BunRequest, wasRead: () => void): IncomingMessage {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress: seen.address,
    encrypted: seen.https,
    readable: true,
    writable: true,
  }) as unknown as Socket
  const reader = request.body?.getReader()
  if (!reader) wasRead()
  const req = new IncomingMessage(socket)
  let reading = false
  /** On to the end, or until nobody takes more: Node asks again only then. */
  const read = async () => {
    if (reading) return
    reading = true
    try {
      for (let more = true; more; ) {
        const piece = await reader?.read()
        if (!piece || piece.done) {
          wasRead()
          return void req.push(null)
        }
        more = req.push(Buffer.from(piece.value.buffer, piece.value.byteOffset, piece.value.byteLength))
      }
      reading = false
    } catch {
      req.destroy(endedEarly())
    }
  }
  const destroyed = (error: Error | null, done: (error: Error | null) => void) => {
    reader?.cancel().catch(() => {})
    done(error)
    socket.emit('close')
  }
  req.on('error', () => {}) // told to whoever reads
  return Object.assign(req, { method, url, headers, socket, seen, log, _read: () => void read(), _destroy: destroyed })
}

function responseFor(req: IncomingMessage, to: BunAnswer): ServerResponse {
  const res = new ServerResponse(req)
  for (const [name, value] of Object.entries(to.headers)) res.setHeader(name, value)
  const pieces: Buffer[] = []
  let begun = false
  let ended = false
  let destroyed = false

  const keep = (piece: unknown, encoding: unknown) => {
    if (typeof piece === 'string')
      pieces.push(Buffer.from(piece, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'))
    else if (piece instanceof Uint8Array) pieces.push(Buffer.from(piece))
  }
  const tell = (heard: unknown[]) => heard.find((one) => typeof one === 'function')?.()

  Object.defineProperties(res, {
    headersSent: { get: () => begun },
    writableEnded: { get: () => ended },
    writableFinished: { get: () => ended },
    destroyed: { get: () => destroyed },
  })
  return Object.assign(res, {
    writeHead(status: number, ...rest: unknown[]) {
      res.statusCode = status
      for (const [name, value] of Object.entries(rest.at(-1) ?? {})) res.setHeader(name, value as string)
      begun = true
      return res
    },
    write(piece: unknown, ...rest: unknown[]) {
      begun = true
      keep(piece, rest[0])
      tell(rest)
      return true
    },
    end(...rest: unknown[]) {
      if (ended || destroyed) return res
      keep(rest[0], rest[1])
      begun = true
      const response = responseOf(res, pieces)
      ended = true
      to.pass(response)
      res.emit('finish')
      tell(rest)
      res.emit('close')
      return res
    },
    destroy() {
      if (destroyed) return res
      destroyed = true
      if (ended) return res
      to.cut()
      res.emit('close')
      return res
    },
  })
}

const BODILESS = [204, 304]

function responseOf(res: ServerResponse, pieces: Buffer[]): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(res.getHeaders()))
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, String(one))
  const body = BODILESS.includes(res.statusCode) || pieces.length === 0 ? null : Buffer.concat(pieces)
  return new Response(body, { status: res.statusCode, headers })
}
