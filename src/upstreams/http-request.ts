import type { Destination } from './guard.ts'

/** Where the sockets of a destination lead, and how its requests begin. */
export type Place = {
  /** The same for all that may share connections. */
  name: string
  address: string
  port: number
  /** Null without TLS; the certificate must be for this name, or for the address where it is undefined. */
  tls: { serverName: string | undefined } | null
  host: string
  /** Path and query. */
  target: string
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const WRITTEN = /^[\x21-\x7e]+$/
const OUTER_SPACE = /^[\t\n\r ]+|[\t\n\r ]+$/g
/** Written by us alone, as they say where a request ends and whom it is for. */
const FRAMING = /^(connection|content-length|host|transfer-encoding)$/

const places = new WeakMap<Destination, Place>()

export function placeOf(to: Destination): Place {
  const known = places.get(to)
  if (known) return known
  const url = new URL(to.href)
  const address = url.hostname.replace(/^\[|\]$/g, '')
  const isTls = url.protocol === 'https:'
  const serverName = to.serverName ?? (/[a-z]/i.test(address) && !address.includes(':') ? address : undefined)
  const port = Number(url.port || (isTls ? 443 : 80))
  const host = to.host ?? url.host
  const target = url.pathname + url.search
  if (!WRITTEN.test(host) || !WRITTEN.test(target)) throw new Error('A URL has characters that HTTP does not allow.')
  const name = JSON.stringify([isTls, address, port, host, serverName ?? null])
  const place = { name, address, port, tls: isTls ? { serverName } : null, host, target }
  places.set(to, place)
  return place
}

/** As it may be sent, or null: white space around it is forgiven, nothing else is. */
export function fieldLine(name: string, value: string): string | null {
  if (!TOKEN.test(name) || FRAMING.test(name.toLowerCase())) return null
  if (VALUE.test(value)) return `${name}: ${value}\r\n`
  const inner = value.replace(OUTER_SPACE, '')
  return VALUE.test(inner) ? `${name}: ${inner}\r\n` : null
}

/** `fields` are lines made by `fieldLine`. A header is latin-1 and a body UTF-8, which is the same where both are ASCII. */
export function requestText(place: Place, method: string, fields: string, body: string | undefined): string | Buffer {
  const start = `${method} ${place.target} HTTP/1.1\r\nHost: ${place.host}\r\n${fields}`
  const head = body === undefined ? `${start}\r\n` : `${start}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  if (Buffer.byteLength(fields) === fields.length) return body === undefined ? head : head + body
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '')])
}
