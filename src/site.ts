import express, { type Express } from 'express'
import { errorPages } from './admin/errors.ts'
import { manualRoutes } from './admin/manual.ts'
import { renderer } from './admin/render.ts'
import { adminRoutes } from './admin/routes.ts'
import { apiRoutes } from './api/routes.ts'
import { staticFolder } from './assets.ts'
import { Refusal } from './core/refusal.ts'
import { securityHeaders } from './http/headers.ts'
import { noOAuth } from './http/no-oauth.ts'
import { staticsIn } from './http/statics.ts'

type Options = Omit<Parameters<typeof apiRoutes>[0] & Parameters<typeof adminRoutes>[0], 'render'>

/** Everything that express answers: the REST API, the pages and the manual. */
export function site(options: Options): Express {
  const statics = staticsIn(staticFolder())
  const render = renderer(statics, options.version, options.ctx.now)
  const parts = { ...options, render }
  const site = express()
  site.disable('x-powered-by')
  site.disable('etag')
  site.use(securityHeaders())
  site.use('/static', statics.serve)
  site.use('/api', apiRoutes(parts))
  site.use('/admin', adminRoutes(parts))
  site.use('/docs', manualRoutes({ render }))
  site.get('/', (_req, res) => res.redirect('/admin'))
  site.use(['/register', '/.well-known'], () => {
    throw noOAuth()
  })
  site.use(() => {
    throw new Refusal('not_found', 'There is nothing at this address.')
  })
  site.use(errorPages(render))
  return site
}
