import { keyOf } from '../core/keys/changing.ts'
import { Refusal } from '../core/refusal.ts'
import type { KeyWithUse } from '../core/store.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { rowOf } from './key-row.ts'

/** The key that the address names. */
export function keyAsked({ ctx }: Door, visit: Inside): Promise<KeyWithUse> {
  return keyOf(ctx, visit.caller, visit.workspace.id, idIn(visit))
}

/** A form for what one may not do is not shown either. */
export async function keyToChange(door: Door, visit: Inside): Promise<KeyWithUse> {
  const key = await keyAsked(door, visit)
  if (!rowOf(visit, key, door.ctx.now()).mayChange)
    throw new Refusal('forbidden', 'You may change only your own keys. Ask an admin of this workspace.')
  return key
}

export function idIn({ req }: Inside): string {
  return String(req.params.id)
}
