import { BrokenAnswer, checkFields, type Head, readHead } from './http-head.ts'

export type AnswerEars = {
  head(head: Head): void
  /** A piece of the body, as it came. */
  piece(bytes: Buffer): void
}

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'over'

const MOST_HEAD_BYTES = 64 * 1024
const MOST_CHUNK_LINE_BYTES = 4 * 1024
const END_OF_HEAD = Buffer.from('\r\n\r\n')
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/
const LINE_FEED = 10

/**
 * Reads one answer, in whatever pieces it comes (RFC 9112). What it throws means that the connection is of no use any
 * more; so do bytes after the end of an answer, which `hear` leaves alone.
 */
export class AnswerReader {
  /** How long the connection may idle afterwards, once the head is read. */
  idleMs = 0
  #state: State = 'head'
  #left = 0
  /** What came of a head or a line that has not ended; room is made in advance, as it may come byte by byte. */
  #held: Buffer | null = null
  #heldBytes = 0
  /** Of heads, interim ones among them, and again of trailers. */
  #headBytes = 0
  readonly #ears: AnswerEars

  constructor(ears: AnswerEars) {
    this.#ears = ears
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** The number of bytes that belonged to the answer. */
  hear(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && this.#state !== 'over') at = this.#step(bytes, at)
    return at
  }

  /** The connection has ended. */
  end(): void {
    if (this.#state === 'until-close') this.#state = 'over'
    if (this.#state !== 'over') throw new BrokenAnswer('An answer was cut off.')
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes, at)
      case 'until-close':
        this.#ears.piece(at === 0 ? bytes : bytes.subarray(at))
        return bytes.length
      case 'length':
      case 'chunk':
        return this.#body(bytes, at)
      default:
        return this.#line(bytes, at)
    }
  }

  #head(bytes: Buffer, at: number): number {
    const heldBytes = this.#heldBytes
    const all = heldBytes === 0 ? bytes : this.#hold(bytes, at)
    const start = heldBytes === 0 ? at : 0
    const end = all.indexOf(END_OF_HEAD, heldBytes === 0 ? at : Math.max(0, heldBytes - 3))
    const size = end === -1 ? all.length - start : end + 4 - start
    if (this.#headBytes + size > MOST_HEAD_BYTES) throw new BrokenAnswer('The head of an answer is too large.')
    if (end === -1) {
      if (heldBytes === 0) this.#hold(bytes, at)
      return bytes.length
    }
    const head = readHead(all.toString('latin1', start, end))
    const next = heldBytes === 0 ? end + 4 : at + (end + 4 - heldBytes)
    this.#letGo()
    this.#headBytes += size
    if (head.status === 101) throw new BrokenAnswer('An answer changes to another protocol.')
    if (head.status < 200) return next
    this.#headBytes = 0
    this.#begin(head)
    return next
  }

  #begin(head: Head): void {
    const { framing } = head
    this.idleMs = head.idleMs
    if (framing === 0) this.#state = 'over'
    else if (framing === 'chunked') this.#state = 'chunk-size'
    else if (framing === 'until-close') this.#state = framing
    else {
      this.#state = 'length'
      this.#left = framing
    }
    this.#ears.head(head)
  }

  #body(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    if (this.#left === 0) this.#state = this.#state === 'length' ? 'over' : 'chunk-end'
    this.#ears.piece(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    return end
  }

  #line(bytes: Buffer, at: number): number {
    const lineFeed = bytes.indexOf(LINE_FEED, at)
    const end = lineFeed === -1 ? bytes.length : lineFeed + 1
    const size = this.#heldBytes + end - at
    if (this.#state !== 'trailers' && size > MOST_CHUNK_LINE_BYTES) throw new BrokenAnswer('A chunk begins too long.')
    if (this.#headBytes + size > MOST_HEAD_BYTES) throw new BrokenAnswer('The trailers of an answer are too large.')
    const part = bytes.subarray(at, end)
    const all = lineFeed !== -1 && this.#heldBytes === 0 ? part : this.#hold(part, 0)
    if (lineFeed === -1) return end
    if (all[all.length - 2] !== 13) throw new BrokenAnswer('A line of an answer ends in no CRLF.')
    const text = all.toString('latin1', 0, all.length - 2)
    this.#letGo()
    if (this.#state === 'chunk-size') this.#chunkSize(text)
    else if (this.#state === 'chunk-end') this.#chunkEnd(text)
    else {
      this.#headBytes += size
      this.#trailer(text)
    }
    return end
  }

  #chunkSize(text: string): void {
    const size = CHUNK_SIZE.exec(text)
    if (!size) throw new BrokenAnswer('A chunk begins with no size.')
    this.#left = Number.parseInt(size[1]!, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
  }

  #chunkEnd(text: string): void {
    if (text !== '') throw new BrokenAnswer('A chunk is longer than it said.')
    this.#state = 'chunk-size'
  }

  #trailer(text: string): void {
    if (text === '') this.#state = 'over'
    else checkFields(`\r\n${text}`)
  }

  /** All that is held, with these. */
  #hold(bytes: Buffer, from: number): Buffer {
    const size = this.#heldBytes + bytes.length - from
    if (this.#held === null || this.#held.length < size) {
      const room = Buffer.allocUnsafe(Math.max(256, size * 2))
      this.#held?.copy(room, 0, 0, this.#heldBytes)
      this.#held = room
    }
    bytes.copy(this.#held, this.#heldBytes, from)
    this.#heldBytes = size
    return this.#held.subarray(0, size)
  }

  #letGo(): void {
    this.#held = null
    this.#heldBytes = 0
  }
}
