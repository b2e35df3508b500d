import express, { type Router } from 'express'
import type { Context } from '../core/context.ts'
import type { Ring } from '../core/keys/ring.ts'
import { Refusal } from '../core/refusal.ts'
import { authenticate } from '../http/authenticate.ts'
import type { RequireSetUp } from '../http/setup-gate.ts'

export function apiRoutes(ctx: Context, ring: Ring, requireSetUp: RequireSetUp): Router {
  const routes = express.Router()
  routes.use(async (_req, _res, next) => {
    await requireSetUp()
    next()
  })
  routes.use(async (req, _res, next) => {
    await authenticate(ctx, ring, req, { urlToo: false })
    next()
  })
  routes.use(() => {
    throw new Refusal('not_found', 'There is no such address. /api/docs lists them all.')
  })
  return routes
}
