import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Key } from '../../../src/core/keys/key.ts'
import { keyTable } from '../../../src/core/keys/table.ts'
import { judge } from '../../../src/core/keys/verify.ts'
import type { FoundKey } from '../../../src/core/store.ts'

const hashed = (text: string) => createHash('sha256').update(text).digest('base64url')

type Dates = Pick<Key, 'revokedAt' | 'disabledAt' | 'notBefore' | 'expiresAt'> & { endsAt: Date | null }
const always: Dates = { revokedAt: null, disabledAt: null, notBefore: null, expiresAt: null, endsAt: null }

function aKey(id: string, { endsAt, ...dates } = always): FoundKey {
  return { id, ...dates, secret: { hash: hashed(id), endsAt } } as FoundKey
}

it('holds as a Map does, through growth, replacing and dropping', () => {
  const act = fc.tuple(fc.constantFrom('set', 'set', 'set', 'drop'), fc.nat(3000))
  fc.assert(
    fc.property(fc.array(act, { minLength: 2000, maxLength: 4000, size: 'max' }), (acts) => {
      const table = keyTable()
      const map = new Map<string, FoundKey>()
      for (const [what, which] of acts) {
        const key = aKey(`key ${which}`)
        const { hash } = key.secret
        if (what === 'set') {
          table.set(hash, key)
          map.set(hash, key)
        } else {
          table.drop(hash)
          map.delete(hash)
        }
      }
      for (let which = 0; which <= 3000; which++) {
        const hash = hashed(`key ${which}`)
        expect(table.get(hash)).toBe(map.get(hash))
        expect(table.active(hash, new Date())).toBe(map.get(hash))
      }
      expect(table.size()).toBeGreaterThanOrEqual(map.size)
    }),
    { numRuns: 5 },
  )
})

it('tells apart hashes that end up in one place', () => {
  const table = keyTable()
  const hashes = ['A', 'B', 'C'].map((letter) => `same begin, ${letter}`.padEnd(43, '-'))
  for (const hash of hashes) table.set(hash, aKey(hash))
  expect(hashes.map((hash) => table.get(hash)?.id)).toEqual(hashes)
  expect(table.get('same begin, D'.padEnd(43, '-'))).toBeUndefined()
})

it('calls active what judging does, and nothing else', () => {
  const time = fc.date({ min: new Date('1969-01-01'), max: new Date('2110-01-01'), noInvalidDate: true })
  const some = fc.option(time, { freq: 1 })
  const dates = fc.record({ revokedAt: some, disabledAt: some, notBefore: some, expiresAt: some, endsAt: some })
  fc.assert(
    fc.property(dates, time, (given, now) => {
      const table = keyTable()
      const key = aKey('key', given)
      table.set(key.secret.hash, key)
      if (table.active(key.secret.hash, now)) expect(judge(key, now)).toEqual({ ok: true, key })
    }),
    { numRuns: 2000 },
  )
  const end = new Date('2026-06-01T12:00:00.500Z')
  for (const given of [
    { ...always, expiresAt: end },
    { ...always, endsAt: end },
  ]) {
    const table = keyTable()
    const key = aKey('key', given)
    table.set(key.secret.hash, key)
    expect(table.active(key.secret.hash, new Date(end.getTime() - 1000))).toBe(key)
    expect(table.active(key.secret.hash, end)).toBeUndefined()
  }
})
