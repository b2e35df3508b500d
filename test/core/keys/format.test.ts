import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asPasted,
  checksum,
  hashOf,
  hintOf,
  newFullKey,
  sealedHash,
  wellFormed,
} from '../../../src/core/keys/format.ts'
import { deriveSecrets, Secret } from '../../../src/core/secret.ts'
import { secrets } from '../../support/store.ts'

const brand = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/)
const environment = fc.constantFrom('live' as const, 'test' as const)
const fullKey = fc.tuple(brand, environment).map(([brand, environment]) => newFullKey(brand, environment).reveal())

/** CRC-32 as its polynomial says it, bit by bit, sharing nothing with the code under test. */
function crc32(text: string): number {
  let rest = 0xffffffff
  for (const byte of Buffer.from(text)) {
    rest ^= byte
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0)
  }
  return (rest ^ 0xffffffff) >>> 0
}

describe('the checksum', () => {
  it.each([
    // worked out by another program: 1,889,566,014 = 2·62⁵ + 3·62⁴ + 54·62³ + 26·62² + 27·62 + 12
    [`clv_live_${'0'.repeat(42)}`, '23sQRC'],
    ['clv_test_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef', '34FPCb'],
    [`acme_live_${'z'.repeat(42)}`, '0nvyV6'],
    ['clv_live_000000000000000000000000000000000000065067', '0004xl'], // 19,081, padded on the left
  ])('of %s is %s', (body, expected) => {
    expect(checksum(body)).toBe(expected)
    expect(wellFormed(body + expected)).toBe(true)
  })

  it('is CRC-32 of everything before it, in digits, upper case, lower case', () => {
    expect(crc32('123456789')).toBe(0xcbf43926) // the check value that every CRC-32 publishes
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    fc.assert(
      fc.property(fullKey, (key) => {
        const number = [...key.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)
        expect(number).toBe(crc32(key.slice(0, -6)))
      }),
    )
  })
})

describe('a new key', () => {
  it('has the form of the contract, and is like no other', () => {
    const keys = Array.from({ length: 500 }, () => newFullKey('clv', 'live').reveal())
    for (const key of keys) expect(key).toMatch(/^clv_live_[0-9A-Za-z]{48}$/)
    expect(new Set(keys).size).toBe(500)
    const used = new Set(keys.flatMap((key) => [...key.slice(9, 51)]))
    expect(used.size).toBe(62)
  })

  it('is whole, whatever its brand', () => {
    fc.assert(
      fc.property(fullKey, (key) => {
        expect(wellFormed(key)).toBe(true)
      }),
    )
  })

  it('is no longer whole after any slip of the finger', () => {
    const slip = fc.constantFrom<(key: string, at: number) => string>(
      (key, at) => key.slice(0, at) + key.slice(at + 1),
      (key, at) => `${key.slice(0, at)}x${key.slice(at)}`,
      (key, at) => key.slice(0, at) + (key[at] === 'Q' ? 'R' : 'Q') + key.slice(at + 1),
      (key, at) => key.slice(0, at),
      (key, at) => key.slice(0, at) + (key[at + 1] ?? '') + (key[at] ?? '') + key.slice(at + 2),
      (key) => key.toLowerCase(),
      (key) => `${key} `,
      (key) => `${key}\n`,
      (key) => key.replace('_live_', '_test_').replace('_test_', '_prod_'),
    )
    fc.assert(
      fc.property(fullKey, slip, fc.nat(60), (key, make, at) => {
        const slipped = make(key, Math.min(at, key.length - 1))
        fc.pre(slipped !== key)
        expect(wellFormed(slipped)).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    '',
    'clv_live_',
    'x'.repeat(57),
    `CLV_live_${'0'.repeat(48)}`,
    `1k_live_${'0'.repeat(48)}`,
    '\0'.repeat(57),
  ])('is not %j', (text) => {
    expect(wellFormed(text)).toBe(false)
  })
})

it('shows eight letters and four, of any brand', () => {
  fc.assert(
    fc.property(fullKey, (key) => {
      expect(hintOf(key)).toMatch(/^[a-z][a-z0-9]{0,15}_(live|test)_[0-9A-Za-z]{8}…[0-9A-Za-z]{4}$/)
      expect(key.startsWith(hintOf(key).split('…')[0]!) && key.endsWith(hintOf(key).split('…')[1]!)).toBe(true)
    }),
  )
})

describe('the hash that is kept', () => {
  it('needs the instance’s secret, and tells nothing of the key', () => {
    const other = deriveSecrets(new Secret('the secret of somebody else, as long'))
    const key = newFullKey('clv', 'live').reveal()
    expect(hashOf(key, secrets)).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(hashOf(key, secrets)).toBe(hashOf(key, secrets))
    expect(hashOf(key, other)).not.toBe(hashOf(key, secrets))
    expect(hashOf(key, secrets)).not.toBe(new Bun.CryptoHasher('sha256').update(key).digest('base64url'))
  })

  it('can be made of the SHA-256 that another system kept', () => {
    const key = newFullKey('clv', 'live').reveal()
    expect(sealedHash(new Bun.CryptoHasher('sha256').update(key).digest(), secrets)).toBe(hashOf(key, secrets))
  })

  it('is HMAC-SHA-256 of the SHA-256', () => {
    const bytes = secrets.keys.export()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inner = createHash('sha256').update(text).digest()
        const expected = createHmac('sha256', bytes).update(inner).digest('base64url')
        expect([hashOf(text, secrets), sealedHash(inner, secrets)]).toEqual([expected, expected])
      }),
    )
  })
})

describe('a key as people paste it', () => {
  it.each([
    ['white space around it', (key: string) => ` ${key}\r\n`],
    ['quotes', (key: string) => `"${key}"`],
    ['other quotes', (key: string) => `'${key}'`],
    ['backticks', (key: string) => `\`${key}\``],
    ['the word Bearer', (key: string) => `Bearer ${key}`],
    ['the word ApiKey', (key: string) => `apikey  ${key}`],
    ['the whole header', (key: string) => `Authorization: Bearer ${key}`],
    ['Bearer in quotes', (key: string) => `"Bearer ${key}"`],
    ['Bearer before quotes', (key: string) => `Bearer "${key}" `],
    ['Bearer twice', (key: string) => `Bearer Bearer ${key}`],
  ])('is forgiven %s', (_what, paste) => {
    const key = newFullKey('clv', 'live').reveal()
    expect(asPasted(paste(key))).toBe(key)
  })

  it('is taken out of three layers and no more, and not at all out of more than any key needs', () => {
    expect(asPasted('"""x"""')).toBe('x')
    expect(asPasted('""""x""""')).toBe('"x"')
    const endless = `${'"'.repeat(7500)}x${'"'.repeat(7500)}`
    expect(asPasted(endless)).toBe(endless)
    expect(asPasted(`Bearer ${'x'.repeat(512)}`)).toBe('x'.repeat(512))
  })

  it('keeps everything else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!#-&(-_a-~]{1,80}$/), (text) => {
        expect(asPasted(text)).toBe(text)
      }),
    )
  })
})
