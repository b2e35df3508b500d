import { INSTANCE } from '../core/audit.ts'
import { Refusal } from '../core/refusal.ts'
import { setUp, setupLinkIsGood } from '../core/workspaces/setup.ts'
import { openSession } from '../core/workspaces/sign-in.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, show } from './answer.ts'
import { keepSession } from './cookies.ts'
import type { Door } from './door.ts'
import { type Visit, visitorOf } from './entrance.ts'
import { secret, text } from './form.ts'

export function setupPage(door: Door) {
  return async (visit: Visit) => {
    if (await door.ctx.store.setup.done()) return toSignIn(door, visit)
    await requireLink(door, visit)
    showForm(door, visit, [])
  }
}

export function createOwner(door: Door) {
  return async (visit: Visit) => {
    const { req, res } = visit
    if (await door.ctx.store.setup.done()) return toSignIn(door, visit)
    const token = await requireLink(door, visit)
    const visitor = visitorOf(req)
    await orAgain(
      res,
      async () => {
        const actor = { kind: 'system', id: null, label: INSTANCE, ...placeOf(visitor) } as const
        const { user, workspace } = await setUp(door.ctx, actor, token, {
          email: text(req, 'email'),
          name: text(req, 'name'),
          password: secret(req, 'password'),
          workspace: text(req, 'workspace'),
        })
        keepSession(req, res, door.publicUrl, await openSession(door.ctx, visitor, user))
        goTo(door, visit, `/admin/w/${workspace.slug}/connect?first=1`, 'welcome')
      },
      // somebody else may have become the owner meanwhile
      async (errors) => ((await door.ctx.store.setup.done()) ? toSignIn(door, visit) : showForm(door, visit, errors)),
    )
  }
}

function toSignIn(door: Door, visit: Visit): void {
  goTo(door, visit, '/admin/sign-in', 'has-owner')
}

/** Until there is an owner, a wrong link looks like any other page. */
async function requireLink({ ctx, requireSetUp }: Door, { req, res }: Visit): Promise<string> {
  const token = String(req.params.token)
  if (!(await setupLinkIsGood(ctx, token))) {
    await requireSetUp()
    throw new Refusal('not_found', 'There is no such page.')
  }
  res.set('Referrer-Policy', 'no-referrer')
  return token
}

function placeOf({ address, requestId }: ReturnType<typeof visitorOf>) {
  return { address, requestId }
}

function showForm(door: Door, visit: Visit, errors: Wrong): void {
  const { req } = visit
  const form = { email: text(req, 'email'), name: text(req, 'name'), workspace: text(req, 'workspace') }
  show(door, visit, 'setup', { action: req.baseUrl + req.path, form, errors })
}
