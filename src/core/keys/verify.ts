import { type Code, Refusal } from '../refusal.ts'
import type { Secrets } from '../secret.ts'
import type { FoundKey } from '../store.ts'
import { addressIsIn } from './addresses.ts'
import { hashOf, ofOurShape, resemblesOurs, wellFormed } from './format.ts'
import { type Key, type KeyState, stateOf } from './key.ts'
import type { Ring } from './ring.ts'

export type Verdict = { ok: true; key: FoundKey } | { ok: false; why: Why; key: Key | null }
type Why = 'malformed' | 'unknown' | Exclude<KeyState, 'active'>

/** What a header can carry whole. */
const MAY_BE_IMPORTED = /^[\x21-\x7e]{1,512}$/

/** From memory and without waiting when the key is on the ring; a Promise only when it must be read. */
export function verify(ring: Ring, secrets: Secrets, fullKey: string, now: Date): Verdict | Promise<Verdict> {
  if (!ofOurShape(fullKey)) return verifyImported(ring, secrets, fullKey, now)
  const hash = hashOf(fullKey, secrets)
  const active = ring.active(hash, now)
  if (active !== undefined) return { ok: true, key: active }
  if (!wellFormed(fullKey)) return verifyImported(ring, secrets, fullKey, now)
  const found = ring.find(hash)
  return found instanceof Promise ? judgedLater(found, now) : judge(found, now)
}

async function judgedLater(found: Promise<FoundKey | null>, now: Date): Promise<Verdict> {
  return judge(await found, now)
}

async function verifyImported(ring: Ring, secrets: Secrets, fullKey: string, now: Date): Promise<Verdict> {
  const found =
    MAY_BE_IMPORTED.test(fullKey) && (await ring.hasImported()) && (await ring.find(hashOf(fullKey, secrets)))
  return found ? judge(found, now) : { ok: false, why: await whyNone(ring, fullKey), key: null }
}

/**
 * What is said of a text that is no key here. It follows from its shape alone, so that it tells nobody what keys there
 * are or were; keys of any shape are counted with only where such were ever imported.
 */
export async function whyNone(ring: Ring, fullKey: string): Promise<'malformed' | 'unknown'> {
  if (wellFormed(fullKey)) return 'unknown'
  if (resemblesOurs(fullKey) || !MAY_BE_IMPORTED.test(fullKey)) return 'malformed'
  return (await ring.hasImported()) ? 'unknown' : 'malformed'
}

export function judge(key: FoundKey | null, now: Date): Verdict {
  if (!key) return { ok: false, why: 'unknown', key: null }
  const { endsAt } = key.secret
  const state = endsAt && endsAt <= now ? 'revoked' : stateOf(key, now)
  return state === 'active' ? { ok: true, key } : { ok: false, why: state, key }
}

const REFUSED: Record<Why, [Code, string]> = {
  malformed: ['malformed_key', 'This is not a whole key: it was mistyped or cut off. Copy it again, all of it.'],
  unknown: ['unknown_key', 'There is no such key here. It may have been deleted, or belong to another server.'],
  disabled: ['disabled_key', 'This key is disabled. Somebody in its workspace can enable it again.'],
  expired: ['expired_key', 'This key has expired. Ask for a new one.'],
  revoked: ['revoked_key', 'This key was revoked. Ask for a new one.'],
  scheduled: ['not_yet_valid', 'This key is not valid yet.'],
}

export function refusalOf(verdict: Pick<Extract<Verdict, { ok: false }>, 'why'>): Refusal {
  return new Refusal(...REFUSED[verdict.why])
}

/** What a proven key may still be refused for: where it comes from, and how it was carried. */
export function checkCircumstances(key: Key, address: string, inUrl: boolean): void {
  if (inUrl && !key.allowInUrl)
    throw new Refusal(
      'url_key_not_allowed',
      'This key may not be sent in a URL. Send it as a header, or allow it on the page of the key.',
    )
  if (key.ipAllow.length > 0 && !addressIsIn(key.ipAllow, address))
    throw new Refusal('ip_not_allowed', `This key may not be used from ${address}.`)
}
