import express, { type ErrorRequestHandler, type Router } from 'express'
import { Refusal } from '../core/refusal.ts'
import { accountPage, changeName, changeOwnPassword, endAllSessions, endOneSession } from './account.ts'
import { connectPage, issueAndConnect } from './connect.ts'
import { firstCall } from './connect-signal.ts'
import type { Door } from './door.ts'
import { anyone, inside, insideWithFiles, instanceOwner, newcomer, type Page, signedIn } from './entrance.ts'
import { readForm } from './form.ts'
import { toHome, toKeys } from './front.ts'
import { accept, invitationPage } from './invitations.ts'
import { editKey, editKeyPage } from './key-edit.ts'
import { beforeHarm, deleteKey, disableKey, finishKeyRotation, revokeKey } from './key-harm.ts'
import { importKeys, importKeysPage } from './key-import.ts'
import { issueKey, newKeyPage } from './key-issue.ts'
import { keysPage } from './key-list.ts'
import { keyPage } from './key-page.ts'
import { enableKey, keyInPlace, renameKey, renameKeyPage } from './key-rename.ts'
import { rotateKey, rotateKeyPage } from './key-rotation.ts'
import {
  changeMcp,
  createMcp,
  importMcps,
  importPage,
  mcpPage,
  mcpsPage,
  newMcpPage,
  refreshMcp,
  removeForGood,
  removeMcpPage,
} from './mcps.ts'
import {
  changeRole,
  handOverPage,
  handOverWorkspace,
  inviteMember,
  leave,
  leavePage,
  membersPage,
  remove,
  removePage,
  withdraw,
} from './members.ts'
import { removeFile, removeFilePage, uploadFiles } from './repo-files.ts'
import {
  changeRepo,
  createRepo,
  newRepoPage,
  refreshRepo,
  removeRepoForGood,
  removeRepoPage,
  repoPage,
  repoState,
  reposPage,
} from './repos.ts'
import { createOwner, setupPage } from './setup.ts'
import { endSession, signInPage, startSession } from './sign-in.ts'
import { passwordLimit, signInLimit } from './sign-in-limit.ts'
import { deleteForGood, deletePage, makeWorkspace, newWorkspacePage, rename, settingsPage } from './workspaces.ts'

/** Every page and form, in the order a visitor would meet them, and who may. */
export const PAGES: readonly Page[] = [
  newcomer('get', '/setup/:token', setupPage),
  newcomer('post', '/setup/:token', createOwner),

  anyone('get', '/sign-in', signInPage),
  anyone('post', '/sign-in', startSession, signInLimit),
  signedIn('post', '/sign-out', endSession),
  anyone('get', '/invitations/:token', invitationPage),
  anyone('post', '/invitations/:token', accept),

  signedIn('get', '/', toHome('keys')),
  signedIn('get', '/keys', toHome('keys')),
  signedIn('get', '/mcps', toHome('mcps')),
  signedIn('get', '/repos', toHome('repos')),
  signedIn('get', '/members', toHome('members')),
  signedIn('get', '/settings', toHome('settings')),

  inside('workspace.see', 'get', '', toKeys),
  inside('keys.see', 'get', '/keys', keysPage),
  inside('keys.issue', 'get', '/keys/new', newKeyPage),
  inside('keys.issue', 'post', '/keys', issueKey),
  inside('keys.all', 'get', '/keys/import', importKeysPage),
  inside('keys.all', 'post', '/keys/import', importKeys),
  inside('keys.see', 'get', '/keys/:id', keyPage),
  inside('keys.see', 'get', '/keys/:id/row', keyInPlace),
  inside('keys.issue', 'get', '/keys/:id/rename', renameKeyPage),
  inside('keys.issue', 'post', '/keys/:id/rename', renameKey),
  inside('keys.issue', 'get', '/keys/:id/edit', editKeyPage),
  inside('keys.issue', 'post', '/keys/:id/edit', editKey),
  inside('keys.issue', 'get', '/keys/:id/rotate', rotateKeyPage),
  inside('keys.issue', 'post', '/keys/:id/rotate', rotateKey),
  inside('keys.issue', 'get', '/keys/:id/finish-rotation', beforeHarm('finish-rotation')),
  inside('keys.issue', 'post', '/keys/:id/finish-rotation', finishKeyRotation),
  inside('keys.issue', 'get', '/keys/:id/disable', beforeHarm('disable')),
  inside('keys.issue', 'post', '/keys/:id/disable', disableKey),
  inside('keys.issue', 'post', '/keys/:id/enable', enableKey),
  inside('keys.issue', 'get', '/keys/:id/revoke', beforeHarm('revoke')),
  inside('keys.issue', 'post', '/keys/:id/revoke', revokeKey),
  inside('keys.issue', 'get', '/keys/:id/delete', beforeHarm('delete')),
  inside('keys.issue', 'post', '/keys/:id/delete', deleteKey),

  inside('keys.see', 'get', '/connect', connectPage),
  inside('keys.issue', 'post', '/connect', issueAndConnect),
  inside('keys.see', 'get', '/keys/:id/first-call', firstCall),

  inside('mcps.see', 'get', '/mcps', mcpsPage),
  inside('mcps.change', 'get', '/mcps/new', newMcpPage),
  inside('mcps.change', 'post', '/mcps', createMcp),
  inside('mcps.change', 'get', '/mcps/import', importPage),
  inside('mcps.change', 'post', '/mcps/import', importMcps),
  inside('mcps.see', 'get', '/mcps/:mcp', mcpPage),
  inside('mcps.change', 'post', '/mcps/:mcp', changeMcp),
  inside('mcps.see', 'post', '/mcps/:mcp/refresh', refreshMcp),
  inside('mcps.change', 'get', '/mcps/:mcp/remove', removeMcpPage),
  inside('mcps.change', 'post', '/mcps/:mcp/remove', removeForGood),

  inside('repos.see', 'get', '/repos', reposPage),
  inside('repos.change', 'get', '/repos/new', newRepoPage),
  inside('repos.change', 'post', '/repos', createRepo),
  inside('repos.see', 'get', '/repos/:repo', repoPage),
  inside('repos.see', 'get', '/repos/:repo/state', repoState),
  inside('repos.change', 'post', '/repos/:repo', changeRepo),
  inside('repos.see', 'post', '/repos/:repo/refresh', refreshRepo),
  insideWithFiles('repos.change', '/repos/:repo/upload', uploadFiles),
  inside('repos.change', 'get', '/repos/:repo/remove-file', removeFilePage),
  inside('repos.change', 'post', '/repos/:repo/remove-file', removeFile),
  inside('repos.change', 'get', '/repos/:repo/remove', removeRepoPage),
  inside('repos.change', 'post', '/repos/:repo/remove', removeRepoForGood),

  inside('members.see', 'get', '/members', membersPage),
  inside('members.change', 'post', '/members/invite', inviteMember),
  inside('members.change', 'post', '/invitations/:id/withdraw', withdraw),
  inside('members.change', 'post', '/members/:id/role', changeRole),
  inside('members.change', 'get', '/members/:id/remove', removePage),
  inside('members.change', 'post', '/members/:id/remove', remove),
  inside('owners.change', 'get', '/hand-over', handOverPage),
  inside('owners.change', 'post', '/hand-over', handOverWorkspace),
  inside('workspace.see', 'get', '/leave', leavePage),
  inside('workspace.see', 'post', '/leave', leave),

  inside('workspace.see', 'get', '/settings', settingsPage),
  inside('workspace.rename', 'post', '/settings', rename),
  inside('workspace.delete', 'get', '/delete', deletePage),
  inside('workspace.delete', 'post', '/delete', deleteForGood),
  instanceOwner('get', '/workspaces/new', newWorkspacePage),
  instanceOwner('post', '/workspaces/new', makeWorkspace),

  signedIn('get', '/account', accountPage),
  signedIn('post', '/account', changeName),
  signedIn('post', '/account/password', changeOwnPassword, passwordLimit),
  signedIn('post', '/account/sessions/:id/end', endOneSession),
  signedIn('post', '/account/sessions/end-all', endAllSessions),
]

export function adminRoutes(door: Door): Router {
  const routes = express.Router()
  const before = PAGES.filter(({ who }) => who === 'newcomer')
  routes.use((req, res, next) => {
    res.set('Cache-Control', 'no-store')
    if (!['GET', 'HEAD'].includes(req.method)) door.hosts.checkForm(req)
    next()
  })
  for (const page of before) mount(page)
  routes.use(async (_req, _res, next) => {
    await door.requireSetUp()
    next()
  })
  for (const page of PAGES) if (!before.includes(page)) mount(page)
  routes.use(() => {
    throw new Refusal('not_found', 'There is no such page.')
  })
  routes.use(toSignIn)
  return routes

  function mount({ method, path, limit, open, files }: Page) {
    if (method === 'get') routes.get(path, open(door))
    else routes.post(path, ...(files ? [] : [readForm]), ...limit(door), open(door))
  }
}

/** Whoever is not signed in comes back to the page they wanted. */
const toSignIn: ErrorRequestHandler = (error, req, res, next) => {
  if (!(error instanceof Refusal) || error.code !== 'unauthenticated') return next(error)
  const wanted = req.get('hx-request') ? pageBehind(req.get('hx-current-url')) : req.originalUrl
  const signIn = `/admin/sign-in?${new URLSearchParams({ next: wanted })}`
  if (req.get('hx-request')) res.status(401).set('HX-Redirect', signIn).send()
  else if (req.method === 'GET' && req.accepts(['html', 'json']) === 'html') res.redirect(303, signIn)
  else next(error)
}

function pageBehind(url: string | undefined): string {
  const known = URL.parse(url ?? '')
  return known ? known.pathname + known.search : '/admin'
}
