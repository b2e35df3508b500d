/** How the end of an answer's body is known: by its length, by its last chunk, or by the end of the connection. */
export type Framing = number | 'chunked' | 'until-close'

export type Head = {
  status: number
  fields: Fields
  framing: Framing
  /** How long the connection may idle before it carries the next exchange; 0 where it carries no other. */
  idleMs: number
}

/** What came is not HTTP/1.1 as it is written down, or was cut off: nobody can tell where it ends. */
export class BrokenAnswer extends Error {
  override name = 'BrokenAnswer'
}

/** Less than the five seconds after which Node's servers hang up, so that no request meets one hanging up. */
const IDLE_MS = 4_000
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?(?=\r\n|$)/
const FIELD_LINES = /^(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/
const LENGTH = /^\d{1,15}$/

/** A head as latin-1, without the empty line that ends it (RFC 9112 §4 to §6). Anything doubtful is broken. */
export function readHead(text: string): Head {
  const line = STATUS_LINE.exec(text)
  if (!line) throw new BrokenAnswer('An answer begins with no status line.')
  const fields = new Fields(text.slice(line[0].length))
  const status = Number(line[2])
  const framing = framingOf(status, line[1] === '1', fields)
  return { status, fields, framing, idleMs: line[1] === '1' ? idleMsOf(framing, fields) : 0 }
}

export function checkFields(lines: string): void {
  if (!FIELD_LINES.test(lines)) throw new BrokenAnswer('An answer has a line in its head that is no field.')
}

/** The lines of a head, of which most are never asked for. */
export class Fields {
  readonly #lines: string
  readonly #lowered: string

  /** `lines`: each begins with CRLF. */
  constructor(lines: string) {
    checkFields(lines)
    this.#lines = lines
    this.#lowered = lines.toLowerCase()
  }

  /** By name in lower case; one that came several times is joined with commas. */
  get(name: string): string | undefined {
    const start = `\r\n${name}:`
    let value: string | undefined
    for (let at = this.#lowered.indexOf(start); at !== -1; at = this.#lowered.indexOf(start, at + 1)) {
      const next = this.#valueAt(at + start.length)
      value = value === undefined ? next : `${value}, ${next}`
    }
    return value
  }

  #valueAt(start: number): string {
    const end = this.#lines.indexOf('\r\n', start)
    return this.#lines.slice(start, end === -1 ? undefined : end).trim()
  }
}

/** Two signs of where a body ends could be read in two ways, which is how answers are smuggled. */
function framingOf(status: number, isNewest: boolean, fields: Fields): Framing {
  const length = fields.get('content-length')
  const coding = fields.get('transfer-encoding')
  if (length !== undefined && (coding !== undefined || !LENGTH.test(length)))
    throw new BrokenAnswer('An answer has no certain length.')
  if (coding !== undefined && (!isNewest || coding.toLowerCase() !== 'chunked'))
    throw new BrokenAnswer('An answer comes in a transfer coding that nobody asked for.')
  if (status < 200 || status === 204 || status === 304) return 0
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'until-close' : Number(length)
}

function idleMsOf(framing: Framing, fields: Fields): number {
  if (framing === 'until-close') return 0
  const connection = fields.get('connection')
  if (connection !== undefined && /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(connection)) return 0
  const seconds = /(?:^|,)[\t ]*timeout="?(\d+)/i.exec(fields.get('keep-alive') ?? '')?.[1]
  return seconds === undefined ? IDLE_MS : Math.max(0, Math.min(IDLE_MS, (Number(seconds) - 1) * 1000))
}
