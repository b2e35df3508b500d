import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Secret, type Secrets } from '../secret.ts'
import type { Environment } from './key.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 42
const CHECKSUM_LENGTH = 6

/** Any brand: a key issued before the brand was changed stays valid. */
const SHAPE = /^[a-z][a-z0-9]{0,15}_(?:live|test)_[0-9A-Za-z]{48}$/

export function newFullKey(brand: string, environment: Environment): Secret {
  let body = `${brand}_${environment}_`
  for (let i = 0; i < RANDOM_LENGTH; i++) body += DIGITS[randomInt(DIGITS.length)]
  return new Secret(body + checksum(body))
}

/** Longer than any key with what comes along: strangers send this, so little work is done for it. */
const LONGEST_PASTED = 600
const LAYERS = 3
/** Nothing of what comes along is made of these alone. */
const BARE = /^\w*$/

/** Without what people paste along with a key, in any order: white space, quotes, the word Bearer once more. */
export function asPasted(text: string): string {
  if (BARE.test(text) || text.length > LONGEST_PASTED) return text
  let bare = text
  for (let layer = 0; layer < LAYERS; layer++)
    bare = bare
      .trim()
      .replace(/^(?:authorization:\s*)?(?:bearer|apikey)\s+/i, '')
      .replace(/^(["'`])(.*)\1$/s, '$2')
  return bare
}

/** A brand and an environment, or only the latter: a key of ours that was cut off or mistyped, and no key otherwise. */
export function resemblesOurs(text: string): boolean {
  return /^(?:[a-z0-9]{1,16}_)?(?:live|test)_/i.test(text)
}

/** Its checksum aside. */
export function ofOurShape(fullKey: string): boolean {
  return SHAPE.test(fullKey)
}

export function wellFormed(fullKey: string): boolean {
  return ofOurShape(fullKey) && fullKey.slice(-CHECKSUM_LENGTH) === checksum(fullKey.slice(0, -CHECKSUM_LENGTH))
}

/** Six base62 digits of CRC-32 over everything before them. For typing errors and scanners, never for security. */
export function checksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = DIGITS[rest % 62] + text
    rest = Math.floor(rest / 62)
  }
  return text
}

/**
 * HMAC-SHA-256 under the instance's secret over the key's SHA-256: fast is enough for 250 random bits, and a copied
 * database verifies nothing. The inner hash lets keys that another system stored as SHA-256 move here.
 */
export function hashOf(fullKey: string, secrets: Secrets): string {
  return sealedHash(sha256Of(fullKey), secrets)
}

export function sha256Of(fullKey: string): Buffer {
  return hash('sha256', fullKey, 'buffer')
}

export function sealedHash(sha256: Buffer, secrets: Secrets): string {
  return keyed(secrets).copy().update(sha256).digest('base64url')
}

/** `clv_live_Ab3dEf9h…x7Qz`: enough to recognise a key, far too little to guess it. */
export function hintOf(fullKey: string): string {
  const secretStart = fullKey.lastIndexOf('_') + 1
  return `${fullKey.slice(0, secretStart + 8)}…${fullKey.slice(-4)}`
}

const hashers = new WeakMap<Secrets, Bun.CryptoHasher>()

/** Its key is prepared once: a copy costs a third of what node:crypto takes to begin anew. */
function keyed(secrets: Secrets): Bun.CryptoHasher {
  let hasher = hashers.get(secrets)
  if (!hasher) {
    hasher = new Bun.CryptoHasher('sha256', secrets.keys.export())
    hashers.set(secrets, hasher)
  }
  return hasher
}
