import { historyOf } from '../core/keys/history.ts'
import { impactOf } from '../core/keys/impact.ts'
import { disable, edit, enable, issue, keyOf, removeKey, revoke } from '../core/keys/lifecycle.ts'
import { inWords } from '../core/keys/words.ts'
import { Refusal } from '../core/refusal.ts'
import type { KeyWithUse } from '../core/store.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, isHtmx, show, showPiece } from './answer.ts'
import { isSecure } from './cookies.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import type { FlashName } from './flash.ts'
import { text } from './form.ts'
import { blankForm, offersFor, readKeyForm, typedForm } from './key-form.ts'
import { historyLine } from './key-history.ts'
import { pageOf, rowOf } from './key-row.ts'
import { newOnce, once } from './once.ts'

export function newKeyPage(door: Door) {
  return async (visit: Inside) => {
    const { ctx } = door
    const data = { form: blankForm(), errors: [], once: newOnce(ctx.now()) }
    showPiece(door, visit, 'keys/form', 'keys/new', { ...data, offers: await offersFor(ctx, visit.workspace.id) })
  }
}

/** The only answer that ever carries the full key: to the form itself, kept by nobody. */
export function issueKey(door: Door) {
  return async (visit: Inside) => {
    const { ctx } = door
    const { req, res, caller, workspace, person } = visit
    const token = text(req, 'once')
    await orAgain(
      res,
      async () => {
        const { key, fullKey } = await once(ctx, person.user.id, token, () =>
          issue(ctx, caller, workspace.id, readKeyForm(req, ctx.now())),
        )
        const secret = fullKey.reveal()
        const data = { key, fullKey: secret, snippets: firstCalls(originOf(door, visit), secret) }
        showPiece(door, visit, 'keys/issued-panel', 'keys/issued', data)
      },
      async (errors) => {
        const data = { form: typedForm(req), errors, once: token }
        showPiece(door, visit, 'keys/form', 'keys/new', { ...data, offers: await offersFor(ctx, workspace.id) })
      },
    )
  }
}

function firstCalls(origin: string, fullKey: string): { label: string; text: string }[] {
  return [
    {
      label: 'Claude Code',
      text: `claude mcp add --transport http claviger ${origin}/mcp --header "Authorization: Bearer ${fullKey}"`,
    },
    { label: 'Ask who the key is', text: `curl -H "Authorization: Bearer ${fullKey}" ${origin}/api/v1/whoami` },
  ]
}

/** Where people reach us: the public URL, else the one this browser used. */
export function originOf({ publicUrl }: Door, { req }: Pick<Inside, 'req'>): string {
  return publicUrl?.origin ?? `${isSecure(req, publicUrl) ? 'https' : 'http'}://${req.headers.host}`
}

export function keyPage(door: Door) {
  return async (visit: Inside) => showKey(door, visit, await named(door, visit))
}

async function showKey({ ctx, ...door }: Door, visit: Inside, key: KeyWithUse, renaming: Renaming = null) {
  const [activity, history] = await Promise.all([
    ctx.store.activity.list({ workspaceId: visit.workspace.id, keyId: key.id }, { limit: 20, cursor: null }),
    historyOf(ctx, visit.caller, key),
  ])
  show({ ctx, ...door }, visit, 'keys/show', {
    key: rowOf(visit, key, ctx.now()),
    ...inWords(key),
    activity: activity.items.map((line) => ({ ...line, latencyMs: Math.round(line.latencyMs) })),
    history: history.map(historyLine),
    renaming,
  })
}

type Renaming = { value: string; error?: string } | null

/** The name as a field, in the row for htmx and on the key's page for others. */
export function renameKeyPage(door: Door) {
  return async (visit: Inside) => {
    const key = await changeable(door, visit)
    await showNaming(door, visit, key, { value: key.name })
  }
}

export function renameKey(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace } = visit
    await orAgain(
      res,
      async () => {
        await edit(door.ctx, caller, workspace.id, idIn(visit), { name: text(req, 'name') })
        await showChanged(door, visit, 'key-renamed')
      },
      async ([error]: Wrong) =>
        showNaming(door, visit, await named(door, visit), { value: text(req, 'name'), error: error!.message }),
    )
  }
}

async function showNaming(door: Door, visit: Inside, key: KeyWithUse, renaming: Renaming) {
  if (isHtmx(visit)) showRow(door, visit, key, renaming)
  else await showKey(door, visit, key, renaming)
}

/** A key's row as it is, for whoever does not rename it after all. */
export function keyRow(door: Door) {
  return async (visit: Inside) => {
    const key = await named(door, visit)
    if (isHtmx(visit)) showRow(door, visit, key)
    else goTo(door, visit, pageOf(visit.base, key))
  }
}

export function enableKey(door: Door) {
  return async (visit: Inside) => {
    await enable(door.ctx, visit.caller, visit.workspace.id, idIn(visit))
    await showChanged(door, visit, 'key-enabled')
  }
}

type Act = 'disable' | 'revoke' | 'delete'

/** First who would notice. */
export function beforeHarm(act: Act) {
  return (door: Door) => async (visit: Inside) => askAgain(door, visit, act, [])
}

async function askAgain(door: Door, visit: Inside, act: Act, errors: Wrong) {
  const key = await changeable(door, visit)
  const { calls, ...rest } = await impactOf(door.ctx, visit.caller, visit.workspace.id, key.id)
  const impact = { ...rest, calls24h: calls }
  const reason = text(visit.req, 'reason')
  showPiece(door, visit, 'keys/confirm-panel', 'keys/confirm', { act, key, impact, reason, errors })
}

export function disableKey(door: Door) {
  return async (visit: Inside) => {
    await disable(door.ctx, visit.caller, visit.workspace.id, idIn(visit))
    goTo(door, visit, pageOf(visit.base, { id: idIn(visit) }), 'key-disabled')
  }
}

export function revokeKey(door: Door) {
  return async (visit: Inside) => {
    await revoke(door.ctx, visit.caller, visit.workspace.id, idIn(visit), text(visit.req, 'reason') || null)
    goTo(door, visit, pageOf(visit.base, { id: idIn(visit) }), 'key-revoked')
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

async function showChanged(door: Door, visit: Inside, said: FlashName) {
  if (isHtmx(visit)) showRow(door, visit, await named(door, visit))
  else goTo(door, visit, pageOf(visit.base, { id: idIn(visit) }), said)
}

function showRow(door: Door, visit: Inside, key: KeyWithUse, renaming: Renaming = null) {
  const { req, res, base } = visit
  door.render(req, res, 'keys/row', { base, key: rowOf(visit, key, door.ctx.now()), renaming })
}

function named({ ctx }: Door, visit: Inside): Promise<KeyWithUse> {
  return keyOf(ctx, visit.caller, visit.workspace.id, idIn(visit))
}

/** A form for what one may not do is not shown either. */
async function changeable(door: Door, visit: Inside): Promise<KeyWithUse> {
  const key = await named(door, visit)
  if (!rowOf(visit, key, door.ctx.now()).mayChange)
    throw new Refusal('forbidden', 'You may change only your own keys. Ask an admin of this workspace.')
  return key
}

function idIn({ req }: Inside): string {
  return String(req.params.id)
}
