import type { Handler } from 'express'
import helmet from 'helmet'

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
  ]
}

/** On plain http it would be ignored, and said on localhost it would outlive us. */
const onlyOverHttps: Handler = (req, res, next) => {
  if (req.seen.https) res.setHeader('Strict-Transport-Security', 'max-age=31536000')
  next()
}
