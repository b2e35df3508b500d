import type { Outgoing } from './messages.ts'
import { IDLE_S } from './serve.ts'

/** The way back to one caller of Bun's: whole, or piece by piece. */
export class BunAnswer implements Outgoing {
  status = 200
  begun = false
  ended = false
  /** Nobody is there any more, or we have cut it. */
  gone = false
  readonly #request: Request
  readonly #server: Bun.Server<undefined>
  readonly #give: (response: Response) => void
  /** A name is written the same way everywhere (`Content-Type`): to write it anew in small letters costs 2 % of a call. */
  readonly headers: Record<string, string> = {}
  readonly #idleSeconds: number
  #lasts = false
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null
  #closed: (() => void)[] | null = null

  constructor(
    request: Request,
    server: Bun.Server<undefined>,
    give: (response: Response) => void,
    idleSeconds = IDLE_S,
  ) {
    this.#idleSeconds = idleSeconds
    this.#request = request
    this.#server = server
    this.#give = give
  }

  setHeader(name: string, value: string): void {
    this.headers[name] = value
  }

  getHeader(name: string): string | undefined {
    return this.headers[name]
  }

  removeHeader(name: string): void {
    delete this.headers[name]
  }

  writeHead(status: number, headers: Record<string, string> = {}): this {
    this.status = status
    for (const name in headers) this.setHeader(name, headers[name]!)
    return this
  }

  /** How many bytes its reader has not taken yet. */
  get unread(): number {
    return -(this.#stream?.desiredSize ?? 0)
  }

  write(text: string): boolean {
    if (this.ended || this.gone) return false
    this.#begin().enqueue(Buffer.from(text))
    return true
  }

  end(text?: string): void {
    if (this.ended || this.gone) return
    if (this.#stream) {
      if (text) this.write(text)
      this.#stream.close()
    } else this.#send(text ?? null)
    this.#over()
  }

  /** A whole answer that somebody else has made. */
  pass(response: Response): void {
    if (this.ended || this.gone) return
    this.begun = true
    this.#give(response)
    this.#over()
  }

  /** Ends the connection, whatever has been said on it; with a bare status where nothing was. */
  cut(): void {
    if (this.gone) return
    if (this.#stream && !this.ended) this.#stream.error(new Error('given up'))
    else if (!this.begun) this.#give(new Response(null, { status: 500, headers: { Connection: 'close' } }))
    this.#hungUp()
  }

  /** Bun ends connections on which nothing happens: not while somebody works on an answer. */
  mayLast(): void {
    if (this.#lasts) return
    this.#lasts = true
    this.#server.timeout(this.#request, 0)
  }

  /** Once: it has been answered, or its reader hung up. */
  onClose(hear: () => void): void {
    if (this.ended || this.gone) return hear()
    if (!this.#closed) {
      this.#closed = []
      const { signal } = this.#request
      if (signal.aborted) queueMicrotask(() => this.#hungUp())
      else signal.addEventListener('abort', () => this.#hungUp(), { once: true })
    }
    this.#closed.push(hear)
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
    this.mayLast()
    this.#send(body)
    return this.#stream!
  }

  #send(body: string | ReadableStream | null): void {
    this.begun = true
    this.#give(new Response(body, { status: this.status, headers: this.headers }))
  }

  #over(): void {
    this.ended = true
    if (this.#lasts) this.#server.timeout(this.#request, this.#idleSeconds)
    this.#close()
  }

  #hungUp(): void {
    this.gone = true
    this.#close()
  }

  #close(): void {
    const closed = this.#closed
    this.#closed = null
    for (const hear of closed ?? []) hear()
  }
}
