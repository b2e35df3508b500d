import type { Socket, SocketHandler } from 'bun'
import { type AnswerEars, AnswerReader } from './http-answer.ts'
import { BrokenAnswer } from './http-head.ts'
import type { Place } from './http-request.ts'

/** One exchange, as its line tells of it. After `ended` or `failed` nothing more is told. */
export type Turn = AnswerEars & {
  ended(): void
  failed(error: Error): void
}

export type Keeper = {
  /** It may carry another exchange, until `idleUntil`. */
  free(line: Line): void
  /** It carries nothing any more. */
  gone(line: Line): void
}

/** No connection came about, or it was gone before anything of the request was sent. */
export class NotConnected extends Error {
  override name = 'NotConnected'
  readonly code: string

  constructor(code: unknown) {
    super(`No connection came about: ${code}`)
    this.code = String(code)
  }
}

const KEEP_ALIVE_MS = 60_000
const ALPN = '\x08http/1.1'

/** A connection to one place, which carries one exchange at a time. Whatever is odd about it ends it. */
export class Line {
  idleUntil = 0
  /** Why it never opened. */
  refusal: NotConnected | null = null
  readonly place: Place
  readonly #keeper: Keeper
  #socket: Socket<Line> | null = null
  #state: 'opening' | 'open' | 'gone' = 'opening'
  #isHeld = false
  #turn: Turn | null = null
  #reader: AnswerReader | null = null
  #unwritten: string | Buffer | null = null
  #wasSent = false

  constructor(place: Place, keeper: Keeper) {
    this.place = place
    this.#keeper = keeper
    const { address: hostname, port, tls } = place
    const certified = tls && { tls: { ...tls, rejectUnauthorized: true, ALPNProtocols: ALPN } }
    const failed = (error: unknown) => this.fail(error) // which `connectError` mostly has done
    try {
      Bun.connect<Line>({ hostname, port, data: this, socket: tls ? SECURE : PLAIN, ...certified }).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  /** Still open, and not about to be closed by the server. */
  isUsable(now: number): boolean {
    return this.#state === 'open' && this.idleUntil > now && this.#socket!.readyState === 1
  }

  /** Sends a request as soon as it can. False when the line turns out to be gone, and nothing of it was sent. */
  begin(turn: Turn, request: string | Buffer): boolean {
    if (this.#state === 'gone') return false
    this.#turn = turn
    this.#reader = new AnswerReader(turn)
    this.#unwritten = request
    this.#wasSent = false
    if (this.#state === 'opening') return true
    this.#socket!.ref()
    if (this.#write() || this.#turn !== turn) return true
    this.drop()
    return false
  }

  /** The listener has enough for now. */
  hold(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    this.#socket?.pause()
  }

  letFlow(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#socket?.resume()
  }

  /** Closes it, and tells nobody of its exchange. */
  drop(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#turn = null
    this.#reader = null
    this.#unwritten = null
    this.#keeper.gone(this)
    this.#socket?.close()
  }

  connected(socket: Socket<Line>): void {
    this.#socket = socket
    if (this.#state === 'gone') socket.close()
  }

  opened(): void {
    if (this.#state === 'gone') return
    this.#state = 'open'
    this.#socket!.setKeepAlive(true, KEEP_ALIVE_MS)
    this.drained()
  }

  drained(): void {
    if (this.#state === 'open' && this.#unwritten !== null && !this.#write()) this.ended(null)
  }

  heard(bytes: Buffer): void {
    const turn = this.#turn
    const reader = this.#reader
    if (turn === null || reader === null) return this.drop() // nobody asked
    let taken = 0
    try {
      taken = reader.hear(bytes)
    } catch (error) {
      return this.fail(error)
    }
    if (this.#turn !== turn || !reader.isOver) return
    this.#finish(turn, taken === bytes.length ? reader.idleMs : 0)
  }

  /** The server has closed the connection, or it broke. */
  ended(error: Error | null): void {
    const turn = this.#turn
    if (turn === null) return this.drop()
    if (error) return this.fail(error)
    try {
      this.#reader!.end()
    } catch (cutOff) {
      return this.fail(cutOff)
    }
    this.#finish(turn, 0)
  }

  fail(error: unknown): void {
    const turn = this.#turn
    this.drop()
    if (this.#wasSent) return turn?.failed(error instanceof Error ? error : new BrokenAnswer('The connection broke.'))
    this.refusal ??= new NotConnected((error as { code?: unknown }).code ?? 'ECONNRESET')
    turn?.failed(this.refusal)
  }

  #finish(turn: Turn, idleMs: number): void {
    const isWritten = this.#unwritten === null
    this.#turn = null
    this.#reader = null
    if (idleMs > 0 && isWritten) {
      this.letFlow() // or nobody would hear of its end
      this.#socket!.unref()
      this.idleUntil = performance.now() + idleMs
      this.#keeper.free(this)
    } else this.drop()
    turn.ended()
  }

  /** False when the socket is closed. */
  #write(): boolean {
    const bytes = this.#unwritten!
    const written = this.#socket!.write(bytes)
    if (written < 0) return false
    if (written > 0) this.#wasSent = true
    const size = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length
    const isWhole = written >= size
    this.#unwritten = isWhole ? null : (typeof bytes === 'string' ? Buffer.from(bytes) : bytes).subarray(written)
    return true
  }
}

const PLAIN: SocketHandler<Line> = {
  open(socket) {
    socket.data.connected(socket)
    socket.data.opened()
  },
  data: (socket, bytes) => socket.data.heard(bytes),
  drain: (socket) => socket.data.drained(),
  end: (socket) => socket.data.ended(null),
  close: (socket, error) => socket.data.ended(error ?? null),
  error: (socket, error) => socket.data.fail(error),
  connectError: (socket, error) => socket.data.fail(error),
}

const SECURE: SocketHandler<Line> = {
  ...PLAIN,
  open: (socket) => socket.data.connected(socket),
  handshake(socket, isTrusted, error) {
    if (isTrusted && socket.authorized && !error) socket.data.opened()
    else socket.data.fail(error ?? new NotConnected('CERT_UNTRUSTED'))
  },
}
