import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import type { Log } from '../log.ts'
import type { Incoming } from './messages.ts'

/** What is known of a request before anybody reads it. */
export type Seen = {
  id: string
  /** The client's, believed from a forwarding header only behind a trusted proxy. */
  address: string
  https: boolean
  /** The path and query without the key that a query may carry; the only form of it that may be logged. */
  url: string
}

declare module 'node:http' {
  interface IncomingMessage {
    seen: Seen
    /** Names the request on every line. */
    log: Log
  }
}

export type Proxies = { trusts(address: string): boolean }

export function trustedProxies(ranges: readonly string[]): Proxies {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, bits] = range.split('/') as [string, string?]
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return {
    trusts: (address) =>
      ranges.length > 0 && isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'),
  }
}

/** `from` and `https`: what the connection itself says. */
export function look(
  req: Pick<Incoming, 'headers' | 'url'>,
  id: string,
  from: string,
  https: boolean,
  proxies: Proxies,
): Seen {
  const socketAddress = plain(from)
  const behindProxy = proxies.trusts(socketAddress)
  return {
    id,
    address: behindProxy ? forwardedFor(req, socketAddress, proxies) : socketAddress,
    https: https || (behindProxy && lastOf(req, 'x-forwarded-proto') === 'https'),
    url: withoutKey(req.url ?? '/'),
  }
}

/** The nearest hop that is not one of our proxies: everything before it can be invented by the client. */
function forwardedFor(req: Pick<Incoming, 'headers'>, socketAddress: string, proxies: Proxies): string {
  const hops = String(req.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => hop.trim())
    .filter(Boolean)
    .map(plain)
  return hops.findLast((hop) => !proxies.trusts(hop)) ?? hops[0] ?? socketAddress
}

function lastOf(req: Pick<Incoming, 'headers'>, header: string): string | undefined {
  return String(req.headers[header] ?? '')
    .split(',')
    .at(-1)
    ?.trim()
}

/** Without port, brackets and zone; an IPv4 client on a dual-stack socket is the same client. */
function plain(text: string): string {
  if (isIPv4(text)) return text
  const address = (/^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? text).replace(/^([\d.]+):\d+$/, '$1').replace(/%.*$/, '')
  const mapped = /^::ffff:(?:([\d.]+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i.exec(address)
  if (mapped?.[1]) return plain(mapped[1])
  if (mapped) return [mapped[2], mapped[3]].flatMap((group) => bytesOf(group!)).join('.')
  return isIP(address) ? address : 'unknown'
}

function bytesOf(group: string): [number, number] {
  const number = Number.parseInt(group, 16)
  return [number >> 8, number & 255]
}

/** In its URL, whether it counts there or not. */
export function carriesKey(req: Pick<Incoming, 'seen' | 'url'> & { originalUrl?: string }): boolean {
  return req.seen.url !== (req.originalUrl ?? req.url)
}

/** However the name is written: as a key it may count nowhere, yet somebody has put one there. */
export function withoutKey(url: string): string {
  if (!url.includes('=')) return url
  return url.replace(/([?&;#])([^=&;#?]*)=[^&;#?]*/g, (whole, sign, name) =>
    /api[-_.\s]?key/i.test(unescaped(name)) ? `${sign}api_key=[secret]` : whole,
  )
}

/** As far down as it was escaped, within reason. */
function unescaped(name: string): string {
  for (let layer = 0; layer < 3 && name.includes('%'); layer++)
    name = name.replace(/%([0-7][0-9a-f])/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
  return name
}
