import { stateOf } from '../core/keys/key.ts'
import { edit, enable } from '../core/keys/lifecycle.ts'
import type { KeyWithUse } from '../core/store.ts'
import { orAgain } from './again.ts'
import { goTo, isHtmx } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { FLASHES, type FlashName } from './flash.ts'
import { text } from './form.ts'
import { type Renaming, showKey } from './key-page.ts'
import { pageOf, rowOf } from './key-row.ts'
import { idIn, keyAsked, keyToChange } from './key-visit.ts'

/** The name as a field: where it stands for htmx, on the key's page for others. */
export function renameKeyPage(door: Door) {
  return async (visit: Inside) => {
    const key = await keyToChange(door, visit)
    await showNaming(door, visit, key, { value: key.name })
  }
}

export function renameKey(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace } = visit
    const name = text(req, 'name')
    await orAgain(
      res,
      async () => {
        await edit(door.ctx, caller, workspace.id, idIn(visit), { name })
        await showChanged(door, visit, 'key-renamed')
      },
      async ([error]) => showNaming(door, visit, await keyAsked(door, visit), { value: name, error: error!.message }),
    )
  }
}

/** A key as it is, for whoever does not rename it after all. */
export function keyInPlace(door: Door) {
  return async (visit: Inside) => {
    const key = await keyAsked(door, visit)
    if (isHtmx(visit)) showInPlace(door, visit, key, { said: '' })
    else goTo(door, visit, pageOf(visit.base, key))
  }
}

export function enableKey(door: Door) {
  return async (visit: Inside) => {
    const key = await enable(door.ctx, visit.caller, visit.workspace.id, idIn(visit))
    const state = stateOf(key, door.ctx.now())
    const still = state === 'expired' || state === 'scheduled'
    await showChanged(door, visit, still ? `key-enabled-${state}` : 'key-enabled')
  }
}

async function showNaming(door: Door, visit: Inside, key: KeyWithUse, renaming: Renaming): Promise<void> {
  if (isHtmx(visit)) showInPlace(door, visit, key, { renaming })
  else await showKey(door, visit, key, renaming)
}

async function showChanged(door: Door, visit: Inside, said: FlashName): Promise<void> {
  if (isHtmx(visit)) showInPlace(door, visit, await keyAsked(door, visit), { said: FLASHES[said].text })
  else goTo(door, visit, pageOf(visit.base, { id: idIn(visit) }), said)
}

type How = { renaming: Renaming } | { said: string }

/** Lists show a key as a row, its own page has its name for a heading. */
function showInPlace(door: Door, visit: Inside, key: KeyWithUse, how: How): void {
  const { req, res, base } = visit
  const piece = req.query.place === 'head' ? 'keys/head' : 'keys/row'
  door.render(req, res, piece, { base, key: rowOf(visit, key, door.ctx.now()), ...how })
}
