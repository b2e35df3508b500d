import { impactOf } from '../core/keys/impact.ts'
import { overlapIsOpen } from '../core/keys/key.ts'
import { disable, removeKey, revoke, usedRecently } from '../core/keys/lifecycle.ts'
import { finishRotation } from '../core/keys/rotation.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, showPiece } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { text } from './form.ts'
import { pageOf } from './key-row.ts'
import { idIn, keyToChange } from './key-visit.ts'

type Act = 'disable' | 'revoke' | 'delete' | 'finish-rotation'
type Asked = { title: (name: string) => string; after: string; submit: string }

const ASKED: Record<Act, Asked> = {
  disable: {
    title: (name) => `Disable ${name}?`,
    after: 'Its next request is refused and its open streams end. You can enable it again at any time.',
    submit: 'Disable key',
  },
  revoke: {
    title: (name) => `Revoke ${name}?`,
    after: 'Its next request is refused and its open streams end, for good. It stays in the list, with its history.',
    submit: 'Revoke key',
  },
  delete: {
    title: (name) => `Delete ${name}?`,
    after: 'It is gone for good, and no longer listed. Its audit, activity and usage stay.',
    submit: 'Delete key',
  },
  'finish-rotation': {
    title: (name) => `Finish the rotation of ${name}?`,
    after: 'Whoever still has the old secret is refused on their next request, for good. The new one works on.',
    submit: 'Finish now',
  },
}

/** First who would notice. */
export function beforeHarm(act: Act) {
  return (door: Door) => async (visit: Inside) => askAgain(door, visit, act, [])
}

async function askAgain(door: Door, visit: Inside, act: Act, errors: Wrong): Promise<void> {
  const { ctx } = door
  const key = await keyToChange(door, visit)
  if (act === 'finish-rotation' && !overlapIsOpen(key, ctx.now())) return goTo(door, visit, pageOf(visit.base, key))
  const usedWithinADay = usedRecently(key, ctx.now())
  const { title, ...asked } = ASKED[act]
  showPiece(door, visit, 'keys/confirm-panel', 'keys/confirm', {
    act,
    ...asked,
    question: title(key.name),
    key,
    impact: { ...(await impactOf(ctx, visit.caller, visit.workspace.id, key.id)), usedWithinADay },
    reason: { chosen: text(visit.req, 'reason'), other: text(visit.req, 'other_reason') },
    errors,
  })
}

export function disableKey(door: Door) {
  return async (visit: Inside) => {
    await disable(door.ctx, visit.caller, visit.workspace.id, idIn(visit))
    goTo(door, visit, pageOf(visit.base, { id: idIn(visit) }), 'key-disabled')
  }
}

export function revokeKey(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    const chosen = text(req, 'reason')
    const reason = chosen === 'other' ? text(req, 'other_reason') : chosen
    await orAgain(
      res,
      async () => {
        await revoke(door.ctx, caller, workspace.id, idIn(visit), reason || null)
        goTo(door, visit, pageOf(base, { id: idIn(visit) }), 'key-revoked')
      },
      (errors) => askAgain(door, visit, 'revoke', errors),
    )
  }
}

export function deleteKey(door: Door) {
  return async (visit: Inside) => {
    const confirmed = text(visit.req, 'confirm') === 'recent_use'
    await orAgain(
      visit.res,
      async () => {
        await removeKey(door.ctx, visit.caller, visit.workspace.id, idIn(visit), { confirmed })
        goTo(door, visit, `${visit.base}/keys`, 'key-deleted')
      },
      (errors) => askAgain(door, visit, 'delete', errors),
    )
  }
}

export function finishKeyRotation(door: Door) {
  return async (visit: Inside) => {
    await finishRotation(door.ctx, visit.caller, visit.workspace.id, idIn(visit))
    goTo(door, visit, pageOf(visit.base, { id: idIn(visit) }), 'key-rotation-finished')
  }
}
