import { acceptInvitation, openInvitation } from '../core/workspaces/members.ts'
import { openSession } from '../core/workspaces/sign-in.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, show } from './answer.ts'
import { keepSession } from './cookies.ts'
import type { Door } from './door.ts'
import { type Visit, visitorOf } from './entrance.ts'
import { secret, text } from './form.ts'

/** For whoever holds the link: an account with it, or one button for somebody who has one. */
export function invitationPage(door: Door) {
  return (visit: Visit) => showInvitation(door, visit, [])
}

export function accept(door: Door) {
  return async (visit: Visit) => {
    const { req, res, person } = visit
    const visitor = visitorOf(req)
    const { address, requestId } = visitor
    res.set('Referrer-Policy', 'no-referrer')
    await orAgain(
      res,
      async () => {
        const token = tokenIn(visit)
        const { email } = await openInvitation(door.ctx, token)
        const newcomer = () => ({
          email: email ?? text(req, 'email'),
          name: text(req, 'name'),
          password: secret(req, 'password'),
        })
        const who = person ? { user: person.user } : { person: newcomer() }
        const taken = await acceptInvitation(door.ctx, { address, requestId }, token, who)
        if (!person) keepSession(req, res, door.publicUrl, await openSession(door.ctx, visitor, taken.user))
        const workspace = await door.ctx.store.workspaces.byId(taken.invitation.workspaceId)
        goTo(door, visit, workspace ? `/admin/w/${workspace.slug}/keys` : '/admin', 'joined')
      },
      (errors) => showInvitation(door, visit, errors),
    )
  }
}

async function showInvitation(door: Door, visit: Visit, errors: Wrong) {
  const { req, res, person } = visit
  const invitation = await openInvitation(door.ctx, tokenIn(visit))
  const workspace = await door.ctx.store.workspaces.byId(invitation.workspaceId)
  const address = req.baseUrl + req.path
  res.set('Referrer-Policy', 'no-referrer')
  show(door, visit, 'members/invitation', {
    workspaceName: workspace?.name ?? '',
    invitation,
    user: person && { email: person.user.email, name: person.user.name },
    fits: !person || invitation.email === null || invitation.email === person.user.email,
    action: address,
    signInHref: `/admin/sign-in?${new URLSearchParams({ next: address })}`,
    form: { email: invitation.email ?? text(req, 'email'), name: text(req, 'name') },
    errors,
  })
}

function tokenIn({ req }: Visit): string {
  return String(req.params.token)
}
