import type { Key } from '../core/keys/key.ts'
import { edit } from '../core/keys/lifecycle.ts'
import { Refusal } from '../core/refusal.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, showPiece } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { whole } from './form.ts'
import { onlyChanged } from './key-changes.ts'
import { formOf, type KeyForm, typedForm } from './key-form.ts'
import { readKeyForm } from './key-form-read.ts'
import { offersFor } from './key-offers.ts'
import { pageOf } from './key-row.ts'
import { keyToChange } from './key-visit.ts'

export function editKeyPage(door: Door) {
  return async (visit: Inside) => {
    const key = await keyToChange(door, visit)
    if (key.revokedAt) throw new Refusal('conflict', 'A revoked key cannot be changed. Issue a new one.')
    await showForm(door, visit, key, null, [])
  }
}

/** Changes what was changed in the form, unless the key itself was changed since the form was opened. */
export function editKey(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    const key = await keyToChange(door, visit)
    await orAgain(
      res,
      async () => {
        const wanted = onlyChanged(key, readKeyForm(req, door.ctx.now(), key))
        await edit(door.ctx, caller, workspace.id, key.id, wanted, whole(req, 'revision') ?? undefined)
        goTo(door, visit, pageOf(base, key), 'key-changed')
      },
      (errors) => showForm(door, visit, key, typedForm(req), errors),
    )
  }
}

async function showForm(door: Door, visit: Inside, key: Key, typed: KeyForm | null, errors: Wrong): Promise<void> {
  const offers = await offersFor(door.ctx, visit.workspace.id, key)
  const form = typed ? { ...typed, environment: key.environment } : formOf(key, offers)
  showPiece(door, visit, 'keys/form', 'keys/edit', { editing: key, form, offers, errors })
}
