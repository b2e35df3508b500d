import type { Actor } from '../core/audit.ts'
import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'
import type { Key } from '../core/keys/key.ts'
import type { Ring } from '../core/keys/ring.ts'
import { checkCircumstances, judge, refusalOf, type Verdict, verify } from '../core/keys/verify.ts'
import { Refusal } from '../core/refusal.ts'
import type { FoundKey } from '../core/store.ts'
import { presentedKey } from './credentials.ts'
import type { Incoming } from './messages.ts'

export type Proven = { key: FoundKey; inUrl: boolean; version: number }

export type On = {
  urlToo: boolean
  /** Hears of a key that is there and is refused. */
  refused?(req: Incoming, key: Key, refusal: Refusal): void
}

/** The one way a key is checked, on MCP and REST alike; anew for each request. The full key stops here. */
export function authenticate(ctx: Context, ring: Ring, req: Incoming, on: On): Proven | Promise<Proven> {
  const { fullKey, inUrl } = presentedKey(req, on.urlToo)
  const looked = verify(ring, ctx.secrets, fullKey, ctx.now())
  const version = ctx.store.seenVersion() // as it was when the ring was asked
  return looked instanceof Promise
    ? provedLater(looked, version, inUrl, req, on)
    : proved(looked, version, inUrl, req, on)
}

async function provedLater(
  looked: Promise<Verdict>,
  version: number,
  inUrl: boolean,
  req: Incoming,
  on: On,
): Promise<Proven> {
  return proved(await looked, version, inUrl, req, on)
}

function proved(verdict: Verdict, version: number, inUrl: boolean, req: Incoming, on: On): Proven {
  try {
    if (!verdict.ok) throw refusalOf(verdict)
    checkCircumstances(verdict.key, req.seen.address, inUrl)
    return { key: verdict.key, inUrl, version }
  } catch (error) {
    if (verdict.key && error instanceof Refusal) on.refused?.(req, verdict.key, error)
    throw error
  }
}

/** Once more, after what may have taken minutes: while nobody has written, nothing but the time is another. */
export function authenticateAgain(
  ctx: Context,
  ring: Ring,
  req: Incoming,
  before: Proven,
  on: On,
): Proven | Promise<Proven> {
  const { store } = ctx
  return store.version() === before.version && judge(before.key, ctx.now()).ok
    ? before
    : authenticate(ctx, ring, req, on)
}

/** The key as one who asks for something: bounded by the role its owner has at this moment. */
export async function programOf(ctx: Context, key: Key, req: Incoming): Promise<Caller & { kind: 'program' }> {
  const role = key.ownerId === null ? 'owner' : await ctx.store.members.roleOf(key.workspaceId, key.ownerId)
  const actor: Actor = {
    kind: 'key',
    id: key.id,
    label: `${key.name} (${key.hint})`,
    address: req.seen.address,
    requestId: req.seen.id,
  }
  return { kind: 'program', actor, key, role }
}
