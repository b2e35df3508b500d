import type { Handler } from 'express'
import helmet from 'helmet'
import type { Outgoing } from './messages.ts'
import { carriesKey } from './seen.ts'

const SELF = ["'self'"]

/** One policy for every page: nothing inline, nothing from elsewhere, in nobody's frame. */
export function securityHeaders(): Handler[] {
  return [
    onlyOverHttps,
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: SELF,
          styleSrc: SELF,
          imgSrc: ["'self'", 'data:'],
          fontSrc: SELF,
          connectSrc: SELF,
          formAction: SELF,
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      crossOriginEmbedderPolicy: false,
      referrerPolicy: { policy: 'same-origin' },
      xFrameOptions: { action: 'deny' },
      strictTransportSecurity: false,
    }),
    keepKeysToOurselves,
  ]
}

/** On plain http it would be ignored, and said on localhost it would outlive us. */
const onlyOverHttps: Handler = (req, res, next) => {
  if (req.seen.https) res.setHeader('Strict-Transport-Security', 'max-age=31536000')
  next()
}

/** A key in a URL ends up wherever URLs are kept; at least not in a cache or a Referer. */
export function keepFromCaches(res: Pick<Outgoing, 'setHeader'>): void {
  res.setHeader('Cache-Control', 'no-store, private')
  res.setHeader('Referrer-Policy', 'no-referrer')
}

/** Once more, since helmet has its own mind about the Referer of pages. */
const keepKeysToOurselves: Handler = (req, res, next) => {
  if (carriesKey(req)) keepFromCaches(res)
  next()
}
