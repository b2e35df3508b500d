import helmet from 'helmet'

const SELF = ["'self'"]

/** One policy for every page: nothing inline, nothing from elsewhere, in nobody's frame. */
export function securityHeaders() {
  return helmet({
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
    // set by app.ts for https alone: on plain http it is ignored, and on localhost it would outlive us
    strictTransportSecurity: false,
  })
}
