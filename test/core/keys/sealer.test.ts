import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Sealer } from '../../../src/core/keys/sealer.ts'

const bytes = (least: number, most: number) => fc.uint8Array({ minLength: least, maxLength: most })

it('makes the HMAC that node:crypto makes, whatever was sealed before', () => {
  fc.assert(
    fc.property(bytes(1, 64), fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (key, texts) => {
      const sealer = new Sealer(key)
      for (const text of texts) {
        const digest = createHash('sha256').update(text).digest()
        const expected = createHmac('sha256', key).update(digest).digest('base64url')
        expect([sealer.sealText(text), sealer.seal(digest)]).toEqual([expected, expected])
      }
    }),
  )
})

it('takes no key and no digest of another size', () => {
  expect(() => new Sealer(new Uint8Array(65))).toThrow('too long')
  expect(() => new Sealer(new Uint8Array(32)).seal(new Uint8Array(31))).toThrow('32 bytes')
})
