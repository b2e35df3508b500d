import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'

/** Answers one request; what it throws is a bug of ours. */
export type Answer = (req: IncomingMessage, res: ServerResponse) => Promise<void>

/** As long as node:http keeps an idle connection, in seconds. */
const IDLE_S = 65

/**
 * Has some addresses answered by Bun itself: on node:http each request costs a third more. Under Bun a server of
 * node:http is one of `Bun.serve`, and that takes routes beside the handler that node:http gives it; connections,
 * limits, TLS and closing stay node:http's. Should a later Bun ask elsewhere, node:http answers these addresses too.
 */
export function listenSwiftly(server: Server, paths: readonly string[], answer: Answer, listen: () => void): void {
  const encrypted = server instanceof TlsServer
  const idle = connectionsOf(server)
  const fetch = (request: Request, at: Bun.Server<undefined>) =>
    new Promise<Response>((resolve) => {
      const from = at.requestIP(request)
      idle.inUse(from)
      const req = new SwiftRequest(request, from?.address, encrypted)
      const res = new SwiftResponse(request, at, resolve)
      answer(asNode(req), res as unknown as ServerResponse).catch(() => res.destroy())
    })
  const { serve } = Bun
  const routes = Object.fromEntries(paths.map((path) => [path, fetch]))
  const withRoutes = (options: object) =>
    serve({ ...options, routes, development: false } as Parameters<typeof serve>[0])
  Object.assign(Bun, { serve: withRoutes })
  try {
    listen()
  } finally {
    Object.assign(Bun, { serve })
  }
}

type From = { address: string; port: number } | null

/**
 * After an answer of its own node:http would end a connection in a minute, also in the middle of what Bun answers on it:
 * proxies send everybody's requests over a few connections.
 */
function connectionsOf(server: Server): { inUse(from: From): void } {
  const idle = new Map<string, Socket>()
  server.on('request', ({ socket }: IncomingMessage) => {
    const name = nameOf(socket.remoteAddress, socket.remotePort)
    if (idle.get(name) === socket) return
    idle.set(name, socket)
    socket.once('close', () => {
      if (idle.get(name) === socket) idle.delete(name)
    })
  })
  return {
    inUse(from) {
      if (idle.size > 0 && from) idle.get(nameOf(from.address, from.port))?.setTimeout(0)
    },
  }
}

function nameOf(address: string | undefined, port: number | undefined): string {
  return `${address?.replace(/^::ffff:/i, '')} ${port}`
}

const asNode = (req: SwiftRequest) => req as unknown as IncomingMessage

/** As much of an IncomingMessage as is asked of one at such an address. */
class SwiftRequest {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly socket: { remoteAddress: string | undefined; encrypted: boolean }
  readonly request: Request

  constructor(request: Request, remoteAddress: string | undefined, encrypted: boolean) {
    const { url } = request
    this.request = request
    this.method = request.method
    this.url = url.slice(url.indexOf('/', 'https://'.length))
    this.headers = request.headers.toJSON()
    this.socket = { remoteAddress, encrypted }
  }
}

/** The body of a request that Bun answers; null for one of node:http's. */
export function bodyOf(req: IncomingMessage): Request | null {
  return req instanceof SwiftRequest ? req.request : null
}

/** As much of a ServerResponse as is asked of one at such an address. */
class SwiftResponse {
  statusCode = 200
  headersSent = false
  writableEnded = false
  destroyed = false
  readonly #headers: Record<string, string> = {}
  readonly #request: Request
  readonly #server: Bun.Server<undefined>
  readonly #resolve: (response: Response) => void
  #closed: (() => void)[] | null = null
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null

  constructor(request: Request, server: Bun.Server<undefined>, resolve: (response: Response) => void) {
    this.#request = request
    this.#server = server
    this.#resolve = resolve
  }

  setHeader(name: string, value: string): this {
    this.#headers[name.toLowerCase()] = value
    return this
  }

  getHeader(name: string): string | undefined {
    return this.#headers[name.toLowerCase()]
  }

  hasHeader(name: string): boolean {
    return name.toLowerCase() in this.#headers
  }

  removeHeader(name: string): void {
    delete this.#headers[name.toLowerCase()]
  }

  writeHead(status: number, headers: Record<string, string> = {}): this {
    this.statusCode = status
    for (const name in headers) this.#headers[name.toLowerCase()] = headers[name]!
    return this
  }

  /** What the reader has not taken yet. */
  get writableLength(): number {
    return -(this.#stream?.desiredSize ?? 0)
  }

  write(text: string): boolean {
    if (this.writableEnded || this.destroyed) return false
    this.#begin().enqueue(Buffer.from(text))
    return this.writableLength === 0
  }

  end(text?: string): this {
    if (this.writableEnded || this.destroyed) return this
    if (this.#stream) {
      if (text) this.write(text)
      this.#stream.close()
    } else this.#send(text ?? null)
    this.writableEnded = true
    this.#server.timeout(this.#request, IDLE_S)
    this.#close()
    return this
  }

  /** Ends the connection, whatever has been said on it. */
  destroy(): this {
    if (this.destroyed) return this
    if (!this.writableEnded) this.#begin().error(new Error('given up'))
    this.#hungUp()
    return this
  }

  /** Only of `close` is ever asked. */
  once(_event: 'close', hear: () => void): this {
    if (!this.#closed) {
      this.#closed = []
      this.#request.signal.addEventListener('abort', () => this.#hungUp())
    }
    this.#closed.push(hear)
    return this
  }

  #begin(): ReadableStreamDefaultController<Uint8Array> {
    if (this.#stream) return this.#stream
    const body = new ReadableStream<Uint8Array>(
      {
        start: (stream) => {
          this.#stream = stream
        },
        cancel: () => this.#hungUp(),
      },
      { highWaterMark: 0, size: (piece) => piece!.length },
    )
    this.#server.timeout(this.#request, 0) // a stream may be silent for as long as it likes
    this.#send(body)
    return this.#stream!
  }

  #send(body: string | ReadableStream | null): void {
    this.headersSent = true
    this.#resolve(new Response(body, { status: this.statusCode, headers: this.#headers }))
  }

  #hungUp(): void {
    this.destroyed = true
    this.#close()
  }

  #close(): void {
    const closed = this.#closed
    this.#closed = null
    for (const hear of closed ?? []) hear()
  }
}
