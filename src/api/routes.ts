import express, { type Handler, type Router } from 'express'
import { Refusal } from '../core/refusal.ts'
import { authenticate } from '../http/authenticate.ts'
import { sayWhenExpiring } from '../http/expiring.ts'
import { listAudit, verifyAudit } from './audit.ts'
import { connectClient } from './connect.ts'
import type { Door } from './door.ts'
import { importOneKey } from './key-import.ts'
import { finishKeyRotation, rotateKey } from './key-rotation.ts'
import { disableKey, enableKey, revokeKey } from './key-states.ts'
import { keyActivity, keyImpact } from './key-traces.ts'
import { changeKey, createKey, deleteKey, getKey, listKeys, verifyKey } from './keys.ts'
import { reportLeak, reportLimit } from './leaks.ts'
import { callTool, changeMcp, createMcp, deleteMcp, getMcp, listMcps, listTools, refreshMcp } from './mcps.ts'
import { openApi } from './openapi.ts'
import { type Endpoint, openEndpoint } from './operation.ts'
import { referencePage } from './reference.ts'
import {
  addRepoFiles,
  changeRepo,
  createRepo,
  deleteFile,
  deleteRepo,
  getRepo,
  getRepoFile,
  listRepoFiles,
  listRepos,
  putFile,
  refreshRepo,
} from './repos.ts'
import { serve } from './serve.ts'
import { whoami } from './whoami.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
export type Route = { method: Method; path: string; endpoint: Endpoint }

const get = (path: string, endpoint: Endpoint): Route => ({ method: 'get', path, endpoint })
const post = (path: string, endpoint: Endpoint): Route => ({ method: 'post', path, endpoint })
const put = (path: string, endpoint: Endpoint): Route => ({ method: 'put', path, endpoint })
const patch = (path: string, endpoint: Endpoint): Route => ({ method: 'patch', path, endpoint })
const del = (path: string, endpoint: Endpoint): Route => ({ method: 'delete', path, endpoint })

/** Every address under /api/v1, in the order a visitor would ask. */
export const ROUTES: Route[] = [
  get('/whoami', whoami),
  get('/connect/{client}', connectClient),

  get('/keys', listKeys),
  post('/keys', createKey),
  post('/keys/import', importOneKey),
  post('/keys/verify', verifyKey),
  post('/keys/report-leak', reportLeak),
  get('/keys/{id}', getKey),
  patch('/keys/{id}', changeKey),
  post('/keys/{id}/disable', disableKey), // a change of state is a verb
  post('/keys/{id}/enable', enableKey),
  post('/keys/{id}/revoke', revokeKey),
  post('/keys/{id}/rotate', rotateKey),
  post('/keys/{id}/finish-rotation', finishKeyRotation),
  get('/keys/{id}/impact', keyImpact),
  get('/keys/{id}/activity', keyActivity),
  del('/keys/{id}', deleteKey), // gone for good

  get('/mcps', listMcps),
  post('/mcps', createMcp),
  get('/mcps/{id}', getMcp),
  patch('/mcps/{id}', changeMcp),
  del('/mcps/{id}', deleteMcp),
  post('/mcps/{id}/refresh', refreshMcp),
  get('/mcps/{id}/tools', listTools),
  post('/mcps/{id}/tools/{tool}/call', callTool),

  get('/repos', listRepos),
  post('/repos', createRepo),
  get('/repos/{id}', getRepo),
  patch('/repos/{id}', changeRepo),
  del('/repos/{id}', deleteRepo),
  post('/repos/{id}/refresh', refreshRepo),
  get('/repos/{id}/files', listRepoFiles),
  post('/repos/{id}/files', addRepoFiles),
  get('/repos/{id}/files/{path}', getRepoFile),
  put('/repos/{id}/files/{path}', putFile),
  del('/repos/{id}/files/{path}', deleteFile),

  get('/audit', listAudit),
  get('/audit/verify', verifyAudit),

  get(
    '/openapi.json',
    openEndpoint(
      {
        id: 'openapi',
        summary: 'Read this description',
        about: 'As OpenAPI 3.1, for tools. Needs no key.',
        power: null,
        answer: { status: 200, about: 'The OpenAPI document.' },
      },
      (door) => openApi(ROUTES, door.version),
    ),
  ),
]

export function apiRoutes(door: Door): Router {
  const routes = express.Router({ caseSensitive: true })
  routes.use(async (_req, _res, next) => {
    await door.requireSetUp()
    next()
  })
  routes.get('/docs', referencePage(door, ROUTES))
  routes.post('/v1/keys/report-leak', reportLimit(door))
  for (const { method, path, endpoint } of ROUTES) routes[method](expressPath(path), serve(door, endpoint))
  routes.use(nothingHere(door))
  return routes
}

function expressPath(path: string): string {
  return `/v1${path.replace('{path}', '*path').replaceAll(/\{(\w+)\}/g, ':$1')}`
}

function patternOf(path: string): RegExp {
  const filled = path.replaceAll('.', '\\.').replace('{path}', '.+')
  return new RegExp(`^/v1${filled.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`)
}

/** A known address asked in another way says which ways there are; to strangers it says nothing. */
function nothingHere({ ctx, ring }: Door): Handler {
  const known = ROUTES.map(({ method, path }) => ({
    method: method.toUpperCase(),
    pattern: patternOf(path),
  }))
  return async (req, res) => {
    const { key } = await authenticate(ctx, ring, req, { urlToo: false })
    sayWhenExpiring(res, key, ctx.now)
    const methods = known.filter(({ pattern }) => pattern.test(req.path)).map(({ method }) => method)
    if (methods.length === 0) throw new Refusal('not_found', 'There is no such address. /api/docs lists them all.')
    res.setHeader('Allow', methods.join(', '))
    throw new Refusal('not_found', `There is no ${req.method} here. Use ${methods.join(' or ')}.`)
  }
}
