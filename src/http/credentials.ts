import { asPasted } from '../core/keys/format.ts'
import { Refusal } from '../core/refusal.ts'
import type { Incoming } from './messages.ts'

export type Presented = { fullKey: string; inUrl: boolean }

/** The one key a request carries; none or two are refused. Only MCP endpoints take one from the URL. */
export function presentedKey(req: Incoming, { urlToo }: { urlToo: boolean }): Presented {
  const found: Presented[] = []
  const { authorization } = req.headers
  const scheme = authorization === undefined ? null : /^\s*(bearer|apikey)(?:\s+(.*))?$/is.exec(authorization)
  if (scheme) found.push({ fullKey: scheme[2] ?? '', inUrl: false })
  const header = req.headers['x-api-key']
  if (header !== undefined) found.push({ fullKey: String(header), inUrl: false })
  for (const fullKey of inQuery(req.url!)) found.push({ fullKey, inUrl: true })

  if (found.length > 1)
    throw new Refusal('multiple_credentials', 'This request carries more than one key. Send one, in one place.')
  const presented = found[0]
  if (presented?.inUrl && !urlToo)
    throw new Refusal(
      'missing_key',
      'A key in the URL is taken by MCP endpoints only. Send it as `Authorization: Bearer <key>`.',
    )
  const fullKey = presented && asPasted(presented.fullKey)
  if (!fullKey) throw new Refusal('missing_key', 'Send a key: `Authorization: Bearer <key>` or `X-API-Key: <key>`.')
  return { fullKey, inUrl: presented.inUrl }
}

function inQuery(url: string): string[] {
  const start = url.indexOf('?')
  return start < 0 || !/api|%/.test(url.slice(start)) ? [] : new URLSearchParams(url.slice(start)).getAll('api_key')
}
