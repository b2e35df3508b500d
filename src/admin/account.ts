import { changePassword, rename } from '../core/workspaces/people.ts'
import { endSession, ownSessions, personActor, signOutEverywhere } from '../core/workspaces/sign-in.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, show } from './answer.ts'
import { browserOf } from './browsers.ts'
import { dropSession } from './cookies.ts'
import type { Door } from './door.ts'
import { type Personal, visitorOf } from './entrance.ts'
import { secret, text } from './form.ts'

const PAGE = '/admin/account'

export function accountPage(door: Door) {
  return (visit: Personal) => showAccount(door, visit, {})
}

export function changeName(door: Door) {
  return async (visit: Personal) => {
    const { req, res, person } = visit
    await orAgain(
      res,
      async () => {
        await rename(door.ctx, actorOf(visit), person.user, text(req, 'name'))
        goTo(door, visit, PAGE, 'name-changed')
      },
      (profile) => showAccount(door, visit, { profile }, text(req, 'name')),
    )
  }
}

export function changeOwnPassword(door: Door) {
  return async (visit: Personal) => {
    const { req, res, person } = visit
    await orAgain(
      res,
      async () => {
        await changePassword(door.ctx, actorOf(visit), person.user, {
          current: secret(req, 'current_password'),
          wanted: secret(req, 'password'),
          keepSession: person.session.id,
        })
        goTo(door, visit, PAGE, 'password-changed')
      },
      (password) => showAccount(door, visit, { password }),
    )
  }
}

export function endOneSession(door: Door) {
  return async (visit: Personal) => {
    const { req, res, person } = visit
    const id = String(req.params.id)
    await endSession(door.ctx, actorOf(visit), person.user, id)
    if (id !== person.session.id) return goTo(door, visit, PAGE, 'session-ended')
    dropSession(req, res, door.publicUrl)
    goTo(door, visit, '/admin/sign-in', 'signed-out')
  }
}

export function endAllSessions(door: Door) {
  return async (visit: Personal) => {
    await signOutEverywhere(door.ctx, actorOf(visit), visit.person.user, null)
    dropSession(visit.req, visit.res, door.publicUrl)
    goTo(door, visit, '/admin/sign-in', 'signed-out-everywhere')
  }
}

async function showAccount(
  door: Door,
  visit: Personal,
  errors: { profile?: Wrong; password?: Wrong },
  typedName?: string,
) {
  const { user, session } = visit.person
  const sessions = await ownSessions(door.ctx, user)
  show(door, visit, 'account/profile', {
    form: { name: typedName ?? user.name, email: user.email },
    errors,
    sessions: sessions.map((one) => ({ ...one, userAgent: browserOf(one.userAgent), current: one.id === session.id })),
  })
}

function actorOf({ person, req }: Personal) {
  return personActor(person.user, visitorOf(req))
}
