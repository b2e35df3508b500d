import { leaveFlash, takeFlash } from './cookies.ts'
import type { Door } from './door.ts'
import type { Inside, Personal, Visit } from './entrance.ts'
import { type FlashName, flashNamed } from './flash.ts'
import { shell } from './shell.ts'

/** A whole page, in the shell of whoever sees it. */
export function show(door: Door, visit: Visit | Personal | Inside, view: string, data: object): void {
  const { req, res } = visit
  const around = 'memberships' in visit ? shell(visit) : {}
  door.render(req, res, view, { ...around, flash: flashNamed(takeFlash(req, res)), ...data })
}

/** A part of a page for htmx, the page itself for a browser that follows a link or sends a plain form. */
export function showPiece(door: Door, visit: Personal | Inside, piece: string, page: string, data: object): void {
  if (isHtmx(visit)) door.render(visit.req, visit.res, piece, { ...shell(visit), ...data })
  else show(door, visit, page, data)
}

/** Sent on to a page, so that reloading posts nothing. */
export function goTo({ publicUrl }: Door, visit: Visit, page: string, said?: FlashName): void {
  const { req, res } = visit
  if (said) leaveFlash(req, res, publicUrl, said)
  if (isHtmx(visit)) res.set('HX-Redirect', page).send()
  else res.redirect(303, page)
}

export function isHtmx({ req }: Visit): boolean {
  return req.get('hx-request') !== undefined
}
