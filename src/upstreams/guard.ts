import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { kindOf } from './addresses.ts'
import { CallFailed } from './connection.ts'

/** Where to connect for a URL: an address that was checked, under the name that was asked for. */
export type Destination = {
  /** The URL as given, but for the host, which is an address. */
  href: string
  /** For the Host header and for TLS; null where the URL's own host is no name. */
  host: string | null
  serverName: string | null
}

/** Refuses addresses that must not be reached; else one or more destinations, the best first. */
export type Guard = (url: string) => Destination[] | Promise<Destination[]>

type Options = {
  allowPrivate: boolean
  lookup?: (name: string) => Promise<string[]>
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

const BELIEVED_MS = 30_000
const MOST_REMEMBERED = 1_000
const METADATA_NAMES = /^(metadata|instance-data|metadata\.google\.internal|metadata\.goog|metadata\.tencentyun\.com)$/

/**
 * A guard against server-side request forgery. What it answers is connected to as it is: a second resolution could
 * answer otherwise (DNS rebinding), so a name is looked up here alone, and checked each time it is.
 */
export function addressGuard({ allowPrivate, lookup = addressesOf, now = () => performance.now() }: Options): Guard {
  const known = new Map<string, { destinations: Destination[] | Promise<Destination[]>; until: number }>()

  return (url) => {
    const found = known.get(url)
    if (found && found.until > now()) return found.destinations
    const checked = check(url)
    if (known.size >= MOST_REMEMBERED) known.clear()
    const entry = { destinations: checked, until: now() + BELIEVED_MS }
    known.set(url, entry)
    if (checked instanceof Promise)
      checked.then(
        (destinations) => {
          entry.destinations = destinations
        },
        () => known.get(url) === entry && known.delete(url),
      )
    return checked
  }

  function check(text: string): Destination[] | Promise<Destination[]> {
    const url = readUrl(text)
    const name = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(name)) {
      refuseUnlessAllowed([name])
      return [{ href: url.href, host: null, serverName: null }]
    }
    if (METADATA_NAMES.test(name.replace(/\.+$/, ''))) throw refusal(NEVER)
    if (name === 'localhost' && allowPrivate) return [{ href: url.href, host: null, serverName: null }]
    return lookup(name).then((addresses) => {
      if (addresses.length === 0) throw refusal(UNKNOWN_NAME)
      refuseUnlessAllowed(addresses)
      return addresses.map((address) => pinned(url, address))
    })
  }

  /** All of them: a name that answers with a public and a private address is how rebinding begins. */
  function refuseUnlessAllowed(addresses: string[]): void {
    const kinds = addresses.map(kindOf)
    if (kinds.includes('never')) throw refusal(NEVER)
    if (!allowPrivate && kinds.includes('private')) throw refusal(PRIVATE)
  }
}

/** A URL that an MCP may have at all. */
export function readUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol))
    throw refusal('The URL of an MCP server begins with http:// or https://.')
  if (url.username || url.password)
    throw refusal('The URL holds a user name or password. Put it into a header instead.')
  return url
}

function pinned(url: URL, address: string): Destination {
  const to = new URL(url)
  to.hostname = isIP(address) === 6 ? `[${address}]` : address
  const name = url.hostname.replace(/\.$/, '')
  return { href: to.href, host: url.host, serverName: url.protocol === 'https:' ? name : null }
}

async function addressesOf(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address)
  } catch {
    throw refusal(UNKNOWN_NAME)
  }
}

const UNKNOWN_NAME = "The name in the MCP server's URL cannot be resolved."
const NEVER = "The MCP server's URL leads to a cloud's metadata or a link-local address, which are never reached."
const PRIVATE =
  "The MCP server's URL leads into a private network, which is switched off here (CLAVIGER_ALLOW_PRIVATE_ADDRESSES)."

function refusal(message: string): CallFailed {
  return new CallFailed({ code: 'upstream_unavailable', stage: 'connect', message, unsent: true })
}
