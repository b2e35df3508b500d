import { Refusal } from '../core/refusal.ts'
import type { Incoming } from './messages.ts'

export type Hosts = {
  /** Throws if the request names a host that is not ours, or comes from a page of another site. */
  check(req: Incoming): void
  /** Throws unless a form was sent by a page of our own. */
  checkForm(req: Incoming): void
  /** True if every name is answered, since no public URL is set. */
  open: boolean
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|.+\.localhost)$/
const ONE_TIME = /^\/admin\/(setup|invitations)\/clv_(setup|invite)_[0-9a-f]{64}$/

/** Answers only to its own names, so that a rebound DNS name reaches nothing. */
export function knownHosts({ bound, publicUrl }: { bound: string; publicUrl: URL | null }): Hosts {
  const onLoopback = LOOPBACK.test(bound) || bound === '::1'
  const open = !onLoopback && publicUrl === null
  const isOurs = (name: string) => open || name === publicUrl?.hostname || (onLoopback && LOOPBACK.test(name))

  /** Clients name the same host again and again, and reading it as an address costs 5 µs each time. */
  let latest: { header: string | undefined; name: string | null } = { header: undefined, name: null }

  function check(req: Incoming) {
    const { host: header } = req.headers
    if (header !== latest.header) latest = { header, name: ownName(header) }
    const host = latest.name
    if (host === null || !isSameTarget(req.url ?? '/', host))
      throw new Refusal(
        'forbidden',
        'This host name is not answered here. Use the public URL, or set CLAVIGER_PUBLIC_URL to the one you use.',
      )
    const origin = req.headers.origin
    if (origin !== undefined && !isOwnOrigin(origin, host) && !isUnnamed(req))
      throw new Refusal('forbidden', 'Requests from pages of other sites are refused.')
  }

  function ownName(header: string | undefined): string | null {
    const name = hostname(header)
    return name !== null && isOurs(name) ? name : null
  }

  function isOwnOrigin(origin: string, host: string): boolean {
    const url = URL.parse(origin)
    if (!url || !/^https?:$/.test(url.protocol)) return false
    return url.hostname === host || url.hostname === publicUrl?.hostname || (onLoopback && LOOPBACK.test(url.hostname))
  }

  /**
   * A page with `Referrer-Policy: no-referrer` names no origin when it sends its form. Over plain http browsers leave
   * out Sec-Fetch-Site too; then the one-time token in the address says that the page was ours.
   */
  function isUnnamed(req: Incoming): boolean {
    if (req.headers.origin !== 'null') return false
    const site = req.headers['sec-fetch-site']
    return site === undefined ? ONE_TIME.test(req.seen.url) : site === 'same-origin'
  }

  function checkForm(req: Incoming) {
    const site = req.headers['sec-fetch-site']
    const { origin, host } = req.headers
    const sameOrigin = origin !== undefined && URL.parse(origin)?.host === host
    // Browsers send both; `none` is a person's own doing. A request with neither comes from no page of ours.
    if (isUnnamed(req)) return
    if (
      site === undefined
        ? !sameOrigin
        : !(site === 'same-origin' || site === 'none') || (origin !== undefined && !sameOrigin)
    )
      throw new Refusal('forbidden', 'This form was sent from another site. Open the page here and try again.')
  }

  return { check, checkForm, open }
}

/** An absolute target names its host itself (RFC 9112 §3.2.2). */
function isSameTarget(url: string, host: string): boolean {
  return url.startsWith('/') || url === '*' || hostname(URL.parse(url)?.host) === host
}

export function hostname(host: string | undefined): string | null {
  if (!host || /[\s/@?#\\]/.test(host)) return null
  const url = URL.parse(`http://${host}`)
  return url?.hostname ?? null
}
