import { Cancelled } from './connection.ts'
import type { Destination } from './guard.ts'
import { Fields, type Head } from './http-head.ts'
import type { Line, Turn } from './http-line.ts'
import { type Place, placeOf, requestText } from './http-request.ts'
import { spareLines } from './spare-lines.ts'
import type { StopSignal } from './stop.ts'

export type Parcel = {
  method: 'GET' | 'POST' | 'DELETE'
  /** Lines made by `fieldLine`. */
  fields: string
  body: string | undefined
  signal: StopSignal
}

/** An answer of which nothing but the head was waited for. Read it or cancel it: until then it holds a connection. */
export type Carried = {
  status: number
  fields: Head['fields']
  /** The body, where all of it has come with the head; else null, and it must be `read`. Once. */
  whole(): Buffer | null
  /** Piece by piece, as it comes; the next is awaited until `hear` has settled. Once. */
  read(hear: (piece: Buffer) => unknown): Promise<void>
  cancel(): void
}

/** What nobody has read yet may be this much; then the server waits. */
const MOST_UNREAD_BYTES = 256 * 1024

const lines = spareLines()

/**
 * One HTTP exchange with a checked address, over a connection of our own. By `fetch`, which lives in another thread,
 * it would cost three times as much. Never sent twice: what was sent when its connection broke may have been acted on.
 */
export function carry(to: Destination, { method, fields, body, signal }: Parcel): Promise<Carried> {
  if (signal.aborted) return Promise.reject(new Cancelled())
  const place = placeOf(to)
  const request = requestText(place, method, fields, body)
  const headed = Promise.withResolvers<Carried>()
  const exchange = new Exchange(signal, headed)
  if (lines.has(place)) onceHeard({ exchange, place, request })
  else begin({ exchange, place, request })
  return headed.promise
}

type Ready = { exchange: Exchange; place: Place; request: string | Buffer }

function begin({ exchange, place, request }: Ready): void {
  if (exchange.isOver) return
  let line = lines.take(place)
  while (line !== null && !line.begin(exchange, request)) line = lines.take(place)
  if (line === null) {
    line = lines.open(place)
    line.begin(exchange, request)
  }
  if (line.refusal === null) exchange.goesBy(line)
  else exchange.failed(line.refusal)
}

let waiting: Ready[] = []

/**
 * Once it was heard what has happened to sockets until now: a server may have closed the one to be used. The first
 * `setImmediate` may come ahead of that, the second does not (Bun 1.4).
 */
function onceHeard(ready: Ready): void {
  if (waiting.push(ready) === 1) setImmediate(setImmediate, beginAll)
}

function beginAll(): void {
  const all = waiting
  waiting = []
  for (const ready of all) begin(ready)
}

type Headed = { resolve(carried: Carried): void; reject(error: Error): void }

const ONCE = { once: true }
const NONE = new Fields('')

class Exchange implements Turn, Carried {
  status = 0
  fields = NONE
  readonly #signal: StopSignal
  readonly #headed: Headed
  #line: Line | null = null
  #unread: Buffer[] = []
  #unreadBytes = 0
  #hear: ((piece: Buffer) => unknown) | null = null
  #isBusy = false
  #outcome: 'whole' | Error | null = null
  #read: { resolve(): void; reject(error: unknown): void } | null = null

  constructor(signal: StopSignal, headed: Headed) {
    this.#signal = signal
    this.#headed = headed
    signal.addEventListener('abort', this, ONCE)
  }

  /** The signal: nobody waits any more. */
  handleEvent(): void {
    this.cancel()
  }

  get isOver(): boolean {
    return this.#outcome !== null
  }

  goesBy(line: Line): void {
    if (!this.isOver) this.#line = line
  }

  head({ status, fields }: Head): void {
    this.status = status
    this.fields = fields
    this.#headed.resolve(this)
  }

  piece(bytes: Buffer): void {
    if (this.#outcome !== null) return
    this.#unread.push(bytes)
    this.#unreadBytes += bytes.length
    if (this.#hear !== null) this.#flow()
    else if (this.#unreadBytes > MOST_UNREAD_BYTES) this.#line?.hold()
  }

  ended(): void {
    this.#settle('whole')
  }

  failed(error: Error): void {
    this.#settle(error)
    this.#headed.reject(error)
  }

  whole(): Buffer | null {
    if (this.#outcome !== 'whole') return null
    const pieces = this.#unread.splice(0)
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  read(hear: (piece: Buffer) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#read = { resolve, reject }
      this.#hear = hear
      this.#flow()
    })
  }

  cancel(): void {
    this.#giveUp(new Cancelled())
  }

  #settle(outcome: 'whole' | Error): void {
    if (this.#outcome !== null) return
    this.#outcome = outcome
    this.#line = null
    this.#signal.removeEventListener('abort', this)
    if (this.#hear !== null) this.#flow()
  }

  /** What is unread is of no use to anybody. */
  #giveUp(error: Error): void {
    this.#unread = []
    this.#line?.drop()
    this.#settle(error)
    this.#headed.reject(error)
    this.#read?.reject(error)
  }

  #flow(): void {
    while (!this.#isBusy && this.#unread.length > 0) {
      const piece = this.#unread.shift()!
      this.#unreadBytes -= piece.length
      try {
        const settled = this.#hear!(piece)
        if (settled instanceof Promise) this.#waitFor(settled)
      } catch (error) {
        return this.#refuse(error)
      }
    }
    if (this.#isBusy) return
    if (this.#outcome === null) this.#line?.letFlow()
    else if (this.#outcome === 'whole') this.#read!.resolve()
    else this.#read!.reject(this.#outcome)
  }

  #waitFor(settled: Promise<unknown>): void {
    this.#isBusy = true
    this.#line?.hold()
    settled.then(
      () => {
        this.#isBusy = false
        this.#flow()
      },
      (error) => this.#refuse(error),
    )
  }

  /** The listener wants no more. */
  #refuse(error: unknown): void {
    this.#read!.reject(error)
    this.cancel()
  }
}
