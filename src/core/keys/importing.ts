import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import { isOneLine } from '../one-line.ts'
import { invalid, Refusal } from '../refusal.ts'
import { entryFor, recorded } from './changing.ts'
import { asPasted, sealedHash, sha256Of, wellFormed } from './format.ts'
import { draftFor } from './issuing.ts'
import type { Key } from './key.ts'
import type { NewKey } from './wishes.ts'

/** `sha256`: of the full key's text, as hexadecimal digits or base64. `hint`: what people recognise it by. */
export type ImportedKey = NewKey & { sha256: string; hint?: string | null }

export const LONGEST_HINT = 40
const NO_HINT = 'imported'

/**
 * A key that clients have already, made elsewhere, so that they need not be changed. Bounded like one that is issued.
 * Nobody but its holders knows its full text: not even we.
 */
export async function importKey(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  { sha256, hint, ...wanted }: ImportedKey,
): Promise<Key> {
  demand(caller, 'keys.all')
  const digest = readSha256(sha256)
  const key = { ...draftFor(ctx, caller, workspaceId, wanted), hint: checkHint(hint) }
  for (const field of ['name', 'description', 'hint'] as const) checkHoldsNoKey(field, key[field], digest)
  const entry = entryFor(ctx, caller, 'key.imported', key, null, recorded(key))
  if (!(await ctx.store.keys.add(key, { hash: sealedHash(digest, ctx.secrets) }, entry)))
    throw new Refusal('conflict', 'A key with this SHA-256 is known to this server. Each key can be imported once.')
  return key
}

export function readSha256(text: string): Buffer {
  const trimmed = text.trim()
  const digest = /^[0-9a-f]{64}$/i.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : /^[\w+/-]{43}=$/.test(trimmed) // without its end, a token of 32 random bytes looks like it
      ? Buffer.from(trimmed, 'base64')
      : null
  if (digest?.length !== 32)
    throw invalid(
      'sha256',
      'Give the SHA-256 of the full key: 64 hexadecimal digits, or base64 with the = at its end. Never send the key itself.',
    )
  return digest
}

function checkHint(hint: string | null | undefined): string {
  const trimmed = hint?.trim()
  if (!trimmed) return NO_HINT
  if ([...trimmed].length > LONGEST_HINT || !isOneLine(trimmed))
    throw invalid(
      'hint',
      `A hint is one line of at most ${LONGEST_HINT} characters, such as the beginning and the end of the key.`,
    )
  return trimmed
}

/** These are kept and shown as they are: a key among them would be one that everybody reads. */
function checkHoldsNoKey(field: string, text: string | null, digest: Buffer): void {
  const parts = [text ?? '', ...(text ?? '').split(/[\s,;]+/)].map(asPasted)
  if (parts.some((part) => wellFormed(part) || sha256Of(part).equals(digest)))
    throw invalid(field, 'This holds the full key, which nobody is to read here. Give only its beginning and its end.')
}
