import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Log } from '../log.ts'

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
  return { trusts: (address) => ranges.length > 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') }
}

export function look(req: IncomingMessage, id: string, proxies: Proxies): Seen {
  const socketAddress = plain(req.socket.remoteAddress ?? '')
  const behindProxy = proxies.trusts(socketAddress)
  return {
    id,
    address: behindProxy ? forwardedFor(req, socketAddress, proxies) : socketAddress,
    https:
      (req.socket as TLSSocket).encrypted === true || (behindProxy && lastOf(req, 'x-forwarded-proto') === 'https'),
    url: withoutKey(req.url ?? '/'),
  }
}

/** The nearest hop that is not one of our proxies: everything before it can be invented by the client. */
function forwardedFor(req: IncomingMessage, socketAddress: string, proxies: Proxies): string {
  const hops = String(req.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => plain(hop.trim()))
    .filter(Boolean)
  return hops.findLast((hop) => !proxies.trusts(hop)) ?? hops[0] ?? socketAddress
}

function lastOf(req: IncomingMessage, header: string): string | undefined {
  return String(req.headers[header] ?? '')
    .split(',')
    .at(-1)
    ?.trim()
}

/** An IPv4 client on a dual-stack socket is the same client. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

export function withoutKey(url: string): string {
  return url.includes('?') ? url.replace(/([?&])[^=&]*api_?key=[^&]*/gi, '$1api_key=[secret]') : url
}
