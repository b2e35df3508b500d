import { inspect } from 'node:util'
import { scrub } from './core/scrub.ts'
import { Secret } from './core/secret.ts'

export { scrub }

export type Level = 'debug' | 'info' | 'warn' | 'error'
const RANK: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 }

export type Fields = Record<string, unknown>

export type Log = {
  [level in Level]: (message: string, fields?: Fields) => void
} & {
  /** The same log with fields that every line carries. */
  with(fields: Fields): Log
}

type Options = { level?: Level; pretty?: boolean; write?: (line: string) => void; now?: () => Date }

/** JSON lines for machines, readable ones for a terminal. No secret passes, wherever in a line it hides. */
export function createLog({
  level = 'info',
  pretty = false,
  write = toStdout,
  now = () => new Date(),
}: Options = {}): Log {
  const print = pretty ? readable : json
  const make = (always: Fields): Log => {
    const at = (own: Level) => (message: string, fields?: Fields) => {
      if (RANK[own] < RANK[level]) return
      const head = { time: now().toISOString(), level: own, message }
      write(`${print(head, { ...always, ...fields, ...always })}\n`)
    }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (fields) => make({ ...always, ...fields }),
    }
  }
  return make({})
}

export const silent: Log = createLog({ write: () => {} })

function toStdout(line: string): void {
  process.stdout.write(line)
}

type Head = { time: string; level: Level; message: string }

function json(head: Head, fields: Fields): string {
  return safe(JSON.stringify({ ...head, ...fieldsOf(fields), ...head }))
}

const COLOURS: Record<Level, string> = { debug: '\x1b[2m', info: '\x1b[36m', warn: '\x1b[33m', error: '\x1b[31m' }

function readable({ time, level, message }: Head, fields: Fields): string {
  const rest = Object.entries(fieldsOf(fields)).map(([name, value]) => {
    const text = typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, depth: null })
    return ` \x1b[2m${safe(name)}=\x1b[0m${safe(text)}`
  })
  const [clock, word] = [time.slice(11, 19), level.padEnd(5)]
  return `\x1b[2m${clock}\x1b[0m ${COLOURS[level]}${word}\x1b[0m ${safe(message)}${rest.join('')}`
}

/** Without secrets, and on one line: nothing in it drives a terminal or turns its reading direction. */
function safe(text: string): string {
  return scrub(text).replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Whatever happens, a line is written: one that cannot be read says so. */
function fieldsOf(fields: Fields): Fields {
  try {
    return plain(fields, []) as Fields
  } catch {
    return { fields: '[unreadable]' }
  }
}

const HIDDEN = /^(?:full_?)?key$|(?:authorization|cookie|password|passwd|secret|token|credential|api[-_]?key)s?$/i

const DEEPEST = 8

/** What JSON can carry, with the fields hidden that hold secrets by their name. */
function plain(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Secret) return value.toJSON()
  if (above.includes(value)) return '[seen above]'
  if (above.length >= DEEPEST) return '[deeper]'
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  const within = [...above, value]
  if (!(value instanceof Error) && 'toJSON' in value && typeof value.toJSON === 'function')
    return plain(value.toJSON(), within)
  if (Array.isArray(value) || value instanceof Set) return [...value].map((one) => plain(one, within))
  const entries = value instanceof Error ? partsOf(value) : value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, part]) => [
      String(name),
      HIDDEN.test(String(name)) && part != null ? '[secret]' : plain(part, within),
    ]),
  )
}

function partsOf(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error
  const several = error instanceof AggregateError ? { errors: error.errors } : {}
  return Object.entries({ ...{ name, message }, ...error, ...several, stack, cause })
}
