import express, { type Router } from 'express'
import type { Context } from '../core/context.ts'
import { Refusal } from '../core/refusal.ts'
import type { Hosts } from '../http/hosts.ts'
import type { RequireSetUp } from '../http/setup-gate.ts'
import type { Render } from './render.ts'

export type Admin = { ctx: Context; render: Render; hosts: Hosts; requireSetUp: RequireSetUp; publicUrl: URL | null }

/** Every page and form, in the order a visitor would meet them. */
export function adminRoutes({ requireSetUp }: Admin): Router {
  const routes = express.Router()
  routes.use(async (_req, _res, next) => {
    await requireSetUp()
    next()
  })
  routes.use(() => {
    throw new Refusal('not_found', 'There is no such page.')
  })
  return routes
}
