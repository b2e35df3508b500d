import { impactOf } from '../core/keys/impact.ts'
import { rotate } from '../core/keys/rotation.ts'
import { inWords } from '../core/keys/words.ts'
import type { KeyWithUse } from '../core/store.ts'
import { orAgain, type Wrong } from './again.ts'
import { showPiece } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { text, whole } from './form.ts'
import { showIssued } from './key-issued.ts'
import { keyToChange } from './key-visit.ts'
import { newOnce, once } from './once.ts'

/** In seconds, as text: what the form offers, and the longest that there is. */
export const OVERLAPS = [
  { value: '0', label: 'Not at all' },
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '24 hours' },
  { value: '604800', label: '7 days' },
  { value: '2592000', label: '30 days' },
]
const USUAL = '86400'

export function rotateKeyPage(door: Door) {
  return async (visit: Inside) => {
    const key = await keyToChange(door, visit)
    await showForm(door, visit, key, { overlap: USUAL, once: newOnce(door.ctx.now()) }, [])
  }
}

export function rotateKey(door: Door) {
  return async (visit: Inside) => {
    const { ctx } = door
    const { req, res, caller, workspace, person } = visit
    const key = await keyToChange(door, visit)
    const token = text(req, 'once')
    await orAgain(
      res,
      async () => {
        const rotated = await once(ctx, person.user.id, token, () =>
          rotate(ctx, caller, workspace.id, key.id, whole(req, 'overlap_seconds') ?? undefined),
        )
        const { overlapEndsAt } = rotated.key
        await showIssued(door, visit, { ...rotated, ...inWords(rotated.key), old: { endsAt: overlapEndsAt } })
      },
      (errors) => showForm(door, visit, key, { overlap: text(req, 'overlap_seconds'), once: token }, errors),
    )
  }
}

type Filled = { overlap: string; once: string }

async function showForm(door: Door, visit: Inside, key: KeyWithUse, filled: Filled, errors: Wrong): Promise<void> {
  const callers = await impactOf(door.ctx, visit.caller, visit.workspace.id, key.id)
  showPiece(door, visit, 'keys/rotate-panel', 'keys/rotate', { key, callers, ...filled, overlaps: OVERLAPS, errors })
}
