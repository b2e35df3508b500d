import { asPasted } from '../core/keys/format.ts'
import { Refusal } from '../core/refusal.ts'
import type { Incoming } from './messages.ts'

export type Presented = { fullKey: string; inUrl: boolean }

/** The one key a request carries; none or two are refused. Only MCP endpoints take one from the URL. */
export function presentedKey(req: Incoming, urlToo: boolean): Presented {
  const inHeader = bearer(req.headers.authorization)
  const header = req.headers['x-api-key'] as string | undefined
  const inUrl = inQuery(req.url!)
  if (Number(inHeader !== undefined) + Number(header !== undefined) + inUrl.length > 1)
    throw new Refusal('multiple_credentials', 'This request carries more than one key. Send one, in one place.')
  if (inUrl.length > 0 && !urlToo)
    throw new Refusal(
      'missing_key',
      'A key in the URL is taken by MCP endpoints only. Send it as `Authorization: Bearer <key>`.',
    )
  const fullKey = asPasted(inHeader ?? header ?? inUrl[0] ?? '')
  if (!fullKey) throw new Refusal('missing_key', 'Send a key: `Authorization: Bearer <key>` or `X-API-Key: <key>`.')
  return { fullKey, inUrl: inUrl.length > 0 }
}

const SCHEME = /^\s*(?:bearer|apikey)(?:\s+(.*))?$/is

/** Undefined where something else is meant, such as a proxy's own password. */
function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  const scheme = SCHEME.exec(authorization)
  return scheme ? (scheme[1] ?? '') : undefined
}

function inQuery(url: string): string[] {
  const start = url.indexOf('?')
  return start < 0 || !/api|%/.test(url.slice(start)) ? [] : new URLSearchParams(url.slice(start)).getAll('api_key')
}
