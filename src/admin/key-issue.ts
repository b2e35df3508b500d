import { issue } from '../core/keys/issuing.ts'
import { inWords } from '../core/keys/words.ts'
import { orAgain, type Wrong } from './again.ts'
import { showPiece } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { text } from './form.ts'
import { blankForm, type KeyForm, typedForm } from './key-form.ts'
import { readKeyForm } from './key-form-read.ts'
import { showIssued } from './key-issued.ts'
import { offersFor } from './key-offers.ts'
import { newOnce, once } from './once.ts'

export function newKeyPage(door: Door) {
  return (visit: Inside) => showForm(door, visit, blankForm(), newOnce(door.ctx.now()), [])
}

export function issueKey(door: Door) {
  return async (visit: Inside) => {
    const { ctx } = door
    const { req, res, caller, workspace, person } = visit
    const token = text(req, 'once')
    await orAgain(
      res,
      async () => {
        const issued = await once(ctx, person.user.id, token, () =>
          issue(ctx, caller, workspace.id, readKeyForm(req, ctx.now())),
        )
        await showIssued(door, visit, { ...issued, ...inWords(issued.key) })
      },
      (errors) => showForm(door, visit, typedForm(req), token, errors),
    )
  }
}

async function showForm(door: Door, visit: Inside, form: KeyForm, once: string, errors: Wrong) {
  const offers = await offersFor(door.ctx, visit.workspace.id)
  showPiece(door, visit, 'keys/form', 'keys/new', { form, errors, once, offers })
}
