import { CallFailed } from './connection.ts'
import { fieldLine } from './http-request.ts'

type Headers = Record<string, string>

/** The header lines of a request; of one name in several places, the last counts. */
export type RequestFields = (headers: Headers, ownHeaders?: Headers) => string

/** `headers` are mostly the same object as before, so what became of them is kept with it. */
export function requestFields(ours: Headers, configured: Headers): RequestFields {
  merged(configured) // refused at once, and not with the first call
  const ready = new WeakMap<Headers, { text: string; names: Set<string> }>()

  function made(headers: Headers) {
    const all = merged(ours, headers, configured)
    const one = { text: [...all.values()].join(''), names: new Set(all.keys()) }
    ready.set(headers, one)
    return one
  }

  return (headers, ownHeaders) => {
    const { text, names } = ready.get(headers) ?? made(headers)
    if (ownHeaders === undefined) return text
    let more = text
    for (const name in ownHeaders) {
      if (names.has(name.toLowerCase())) return [...merged(ours, headers, ownHeaders, configured).values()].join('')
      more += line(name, ownHeaders[name]!)
    }
    return more
  }
}

function merged(...several: Headers[]): Map<string, string> {
  const lines = new Map<string, string>()
  for (const headers of several)
    for (const [name, value] of Object.entries(headers)) lines.set(name.toLowerCase(), line(name, value))
  return lines
}

function line(name: string, value: string): string {
  const written = fieldLine(name, value)
  if (written !== null) return written
  throw new CallFailed({
    code: 'upstream_unavailable',
    stage: 'start',
    message: `The header ${JSON.stringify(name)} cannot be sent: its name or value has characters that HTTP does not allow.`,
    unsent: true,
  })
}
