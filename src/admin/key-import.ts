import { importKey } from '../core/keys/importing.ts'
import type { NewKey } from '../core/keys/wishes.ts'
import { Refusal } from '../core/refusal.ts'
import { orAgain, type Wrong, wrongIn } from './again.ts'
import { goTo, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { text } from './form.ts'
import { blankForm, type KeyForm, typedForm } from './key-form.ts'
import { readKeyForm } from './key-form-read.ts'
import { type PastedKey, readPastedKeys } from './key-lines.ts'
import { offersFor } from './key-offers.ts'

const FIELD = 'keys'

export function importKeysPage(door: Door) {
  return (visit: Inside) => showForm(door, visit, { ...blankForm(), expiresAt: 'never' }, '', [])
}

/** What is refused stays in the form, with why; the others are in. */
export function importKeys(door: Door) {
  return async (visit: Inside) => {
    const { req, res, base } = visit
    const pasted = text(req, FIELD)
    await orAgain(
      res,
      async () => {
        const wanted = readKeyForm(req, door.ctx.now())
        const keys = readPastedKeys(pasted, FIELD)
        const { left, errors } = await importAll(door, visit, wanted, keys)
        if (left.length === 0) return goTo(door, visit, `${base}/keys`, 'keys-imported')
        res.status(422)
        const rest = left.map(({ typed }) => typed).join('\n')
        await showForm(door, visit, typedForm(req), rest, errors, keys.length - left.length)
      },
      (errors) => showForm(door, visit, typedForm(req), pasted, errors),
    )
  }
}

async function importAll({ ctx }: Door, { caller, workspace }: Inside, wanted: NewKey, keys: PastedKey[]) {
  const left: PastedKey[] = []
  const errors: Wrong = []
  for (const key of keys) {
    const { name, sha256, hint } = key
    try {
      await importKey(ctx, caller, workspace.id, { ...wanted, name, sha256, hint })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      left.push(key)
      errors.push(...wrongIn(error).map(({ message }) => ({ field: FIELD, message: `${name}: ${message}` })))
    }
  }
  return { left, errors }
}

async function showForm(door: Door, visit: Inside, form: KeyForm, pasted: string, errors: Wrong, imported = 0) {
  const offers = await offersFor(door.ctx, visit.workspace.id)
  show(door, visit, 'keys/import', { form, offers, pasted, errors, imported })
}
