import { Refusal } from '../core/refusal.ts'
import { personActor, signIn, signOut } from '../core/workspaces/sign-in.ts'
import { type Wrong, wrongIn } from './again.ts'
import { goTo, show } from './answer.ts'
import { dropSession, keepSession } from './cookies.ts'
import type { Door } from './door.ts'
import { type Personal, type Visit, visitorOf } from './entrance.ts'
import { secret, text } from './form.ts'
import { FRONT, ownPage } from './next.ts'

export function signInPage(door: Door) {
  return (visit: Visit) => {
    const next = ownPage(visit.req.query.next)
    if (visit.person) return goTo(door, visit, next)
    showForm(door, visit, next, [])
  }
}

export function startSession(door: Door) {
  return async (visit: Visit) => {
    const { req, res } = visit
    const next = ownPage(text(req, 'next'))
    try {
      const { token } = await signIn(door.ctx, visitorOf(req), text(req, 'email'), secret(req, 'password'))
      keepSession(req, res, door.publicUrl, token)
      goTo(door, visit, next)
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'unauthenticated') throw error
      res.status(401)
      showForm(door, visit, next, wrongIn(error))
    }
  }
}

export function endSession(door: Door) {
  return async (visit: Personal) => {
    const { req, res, person } = visit
    await signOut(door.ctx, personActor(person.user, visitorOf(req)), person)
    dropSession(req, res, door.publicUrl)
    goTo(door, visit, '/admin/sign-in', 'signed-out')
  }
}

function showForm(door: Door, visit: Visit, next: string, errors: Wrong): void {
  show(door, visit, 'sign-in', { email: text(visit.req, 'email'), next: next === FRONT ? '' : next, errors })
}
