import type { IncomingMessage } from 'node:http'
import type { Request, Response } from 'express'
import type { Secret } from '../core/secret.ts'
import { LIFETIME_MS } from '../core/workspaces/sign-in.ts'
import { hostname } from '../http/hosts.ts'

const SESSION = 'claviger_session'
const WORKSPACE = 'claviger_workspace'
const FLASH = 'claviger_flash'
const YEAR_MS = 365 * 86_400_000

/** Whether the browser came by https, also where a proxy that we were not told to trust ends it. */
export function isSecure(req: IncomingMessage, publicUrl: URL | null): boolean {
  return req.seen.https || (publicUrl?.protocol === 'https:' && hostname(req.headers.host) === publicUrl.hostname)
}

/** `__Host-` keeps other hosts of the domain from setting it; browsers take it behind https alone. */
function sessionName(secure: boolean): string {
  return secure ? `__Host-${SESSION}` : SESSION
}

export function sessionToken(req: IncomingMessage, publicUrl: URL | null): string | null {
  return cookieOf(req, sessionName(isSecure(req, publicUrl)))
}

export function keepSession(req: Request, res: Response, publicUrl: URL | null, token: Secret): void {
  const secure = isSecure(req, publicUrl)
  res.cookie(sessionName(secure), token.reveal(), { ...plain(secure), path: '/', maxAge: LIFETIME_MS })
}

export function dropSession(req: Request, res: Response, publicUrl: URL | null): void {
  const secure = isSecure(req, publicUrl)
  res.clearCookie(sessionName(secure), { ...plain(secure), path: '/' })
}

export function lastWorkspace(req: IncomingMessage): string | null {
  return cookieOf(req, WORKSPACE)
}

export function rememberWorkspace(req: Request, res: Response, publicUrl: URL | null, slug: string): void {
  if (lastWorkspace(req) === slug) return
  res.cookie(WORKSPACE, slug, { ...plain(isSecure(req, publicUrl)), path: '/admin', maxAge: YEAR_MS })
}

export function leaveFlash(req: Request, res: Response, publicUrl: URL | null, name: string): void {
  res.cookie(FLASH, name, { ...plain(isSecure(req, publicUrl)), path: '/admin', maxAge: 60_000 })
}

/** What the page before left to say, once. */
export function takeFlash(req: Request, res: Response): string | null {
  const name = cookieOf(req, FLASH)
  if (name !== null) res.clearCookie(FLASH, { path: '/admin' })
  return name
}

function plain(secure: boolean) {
  return { httpOnly: true, sameSite: 'lax', secure } as const
}

function cookieOf(req: IncomingMessage, name: string): string | null {
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim() || null
  }
  return null
}
