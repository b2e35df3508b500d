import { mayDo } from '../core/caller.ts'
import { mayChange } from '../core/keys/changing.ts'
import { type Key, overlapIsOpen, stateOf } from '../core/keys/key.ts'
import { whyNotRotated } from '../core/keys/rotation.ts'
import type { KeyWithUse } from '../core/store.ts'
import type { Inside } from './entrance.ts'

export type Row = KeyWithUse & { status: string; mayChange: boolean; mayRotate: boolean }

/** A key as lists and pages show it to this visitor; of a rotation only while it lasts. */
export function rowOf({ caller }: Pick<Inside, 'caller'>, key: KeyWithUse, now: Date): Row {
  const overlapEndsAt = overlapIsOpen(key, now) ? key.overlapEndsAt : null
  const may = mayChange(caller, key)
  const mayRotate = may && whyNotRotated(key, now) === null
  return { ...key, overlapEndsAt, status: stateOf(key, now), mayChange: may, mayRotate }
}

export function mayIssue({ caller }: Pick<Inside, 'caller'>): boolean {
  return mayDo(caller, 'keys.issue')
}

export function pageOf(base: string, { id }: Pick<Key, 'id'>): string {
  return `${base}/keys/${id}`
}
