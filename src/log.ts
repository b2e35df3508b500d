import { inspect } from 'node:util'
import { Secret } from './core/secret.ts'

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
  const make = (always: Fields): Log => {
    const at = (own: Level) => (message: string, fields?: Fields) => {
      if (RANK[own] < RANK[level]) return
      const line = { time: now().toISOString(), level: own, message, ...always, ...fields }
      write(`${scrub(pretty ? readable(line) : json(line))}\n`)
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

const HIDDEN_FIELDS =
  /^(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api_?key|key|full_?key|password|secret|token|.*_(password|secret|token))$/i

function json(line: Fields): string {
  const seen = new Set<object>()
  return JSON.stringify(line, (name, value) => {
    if (name !== '' && HIDDEN_FIELDS.test(name) && value != null) return '[secret]'
    if (value instanceof Error) return explained(value)
    if (typeof value === 'bigint') return String(value)
    if (typeof value === 'object' && value !== null && !(value instanceof Secret)) {
      if (seen.has(value)) return '[seen above]'
      seen.add(value)
    }
    return value
  })
}

function explained(error: Error): Fields {
  return { name: error.name, message: error.message, stack: error.stack, cause: error.cause }
}

const COLOURS: Record<Level, string> = { debug: '\x1b[2m', info: '\x1b[36m', warn: '\x1b[33m', error: '\x1b[31m' }

function readable({ time, level, message, ...fields }: Fields): string {
  const rest = Object.entries(JSON.parse(json(fields)) as Fields)
    .map(
      ([name, value]) =>
        `\x1b[2m${name}=\x1b[0m${typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })}`,
    )
    .join(' ')
  const clock = String(time).slice(11, 19)
  return `\x1b[2m${clock}\x1b[0m ${COLOURS[level as Level]}${String(level).padEnd(5)}\x1b[0m ${message} ${rest}`.trimEnd()
}

const SECRETS: [RegExp, string][] = [
  [/\b([a-z][a-z0-9]{0,15}_(?:live|test)_[0-9A-Za-z]{8})[0-9A-Za-z]{8,}([0-9A-Za-z]{4})\b/g, '$1…$2'],
  [/\bclv_(setup|session|invite)_[0-9a-f]{16,}/g, 'clv_$1_[secret]'],
  [/([?&]api_key=)[^&\s"'\\]+/gi, '$1[secret]'],
  [/\b(Bearer|ApiKey|Basic)\s+[^\s"'\\,]+/gi, '$1 [secret]'],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*:)[^\s/@"']+(@)/gi, '$1[secret]$2'],
]

/** The last thing before any text leaves for a log: what looks like a secret is cut, in whatever field it came. */
export function scrub(text: string): string {
  for (const [pattern, replacement] of SECRETS) text = text.replace(pattern, replacement)
  return text
}
