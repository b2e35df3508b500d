import { edit } from '../core/keys/lifecycle.ts'
import type { KeyEdit } from '../core/keys/wishes.ts'
import { Refusal } from '../core/refusal.ts'
import type { KeyWithUse } from '../core/store.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, showPiece } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { whole } from './form.ts'
import { onlyChanged } from './key-changes.ts'
import { formOf, type KeyForm, typedForm } from './key-form.ts'
import { readKeyForm } from './key-form-read.ts'
import { notSaved } from './key-not-saved.ts'
import { offersFor } from './key-offers.ts'
import { pageOf } from './key-row.ts'
import { keyToChange } from './key-visit.ts'

export function editKeyPage(door: Door) {
  return async (visit: Inside) => {
    const key = await keyToChange(door, visit)
    checkMayEdit(key)
    await showForm(door, visit, key, null, [])
  }
}

/** Changes what was changed in the form, unless the key itself was changed since the form was opened. */
export function editKey(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    const key = await keyToChange(door, visit)
    const opened = whole(req, 'revision') ?? key.revision
    let wanted: KeyEdit = {}
    await orAgain(
      res,
      async () => {
        wanted = onlyChanged(key, readKeyForm(req, door.ctx.now(), key))
        await edit(door.ctx, caller, workspace.id, key.id, wanted, opened)
        goTo(door, visit, pageOf(base, key), 'key-changed')
      },
      (errors, code) =>
        code === 'precondition_failed'
          ? showAsItIs(door, visit, wanted)
          : showForm(door, visit, { ...key, revision: opened }, typedForm(req), errors),
    )
  }
}

/** Somebody else was faster: what they did stays, and what was typed is told, to be entered once more. */
async function showAsItIs(door: Door, visit: Inside, typed: KeyEdit): Promise<void> {
  const key = await keyToChange(door, visit)
  checkMayEdit(key)
  await showForm(door, visit, key, null, notSaved(typed))
}

function checkMayEdit(key: KeyWithUse): void {
  if (key.revokedAt) throw new Refusal('conflict', 'A revoked key cannot be changed. Issue a new one.')
}

async function showForm(door: Door, visit: Inside, key: KeyWithUse, typed: KeyForm | null, errors: Wrong) {
  const offers = await offersFor(door.ctx, visit.workspace.id, key)
  const form = typed ? { ...typed, environment: key.environment } : formOf(key, offers)
  showPiece(door, visit, 'keys/form', 'keys/edit', { editing: key, form, offers, errors })
}
