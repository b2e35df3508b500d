import { expect, it } from 'vitest'
import type { Context } from '../../../src/core/context.ts'
import type { Key } from '../../../src/core/keys/key.ts'
import { keyRing } from '../../../src/core/keys/ring.ts'

/** A store that knows the keys whose hash begins with `known`, tells what was changed, and counts how often it is read. */
function counting(mostKeys?: number) {
  const read: string[] = []
  const changes: (string | null)[] = []
  let version = 1
  /** What an answer of the store waits for, once it is known what it will be. */
  const slow: { read?: Promise<void>; changes?: Promise<void> } = {}
  const dates = { revokedAt: null, disabledAt: null, notBefore: null, expiresAt: null } satisfies Partial<Key>
  const keys = {
    findByHash: async (hash: string) => {
      read.push(hash)
      await slow.read
      return hash.startsWith('known') ? { id: hash, ...dates, secret: { hash, endsAt: null } } : null
    },
    changesAfter: async (change: number | null) => {
      const hashes = change === null ? [null] : changes.slice(change)
      const answer = { last: changes.length, hashes: hashes.includes(null) ? null : hashes }
      await slow.changes
      return answer
    },
  }
  const store = { version: () => version, keys }
  const ring = keyRing({ store } as unknown as Pick<Context, 'store'>, mostKeys)
  const moved = (...hashes: (string | null)[]) => {
    changes.push(...hashes)
    version++
  }
  /** What is read of the store when these are looked for, in turn. */
  const readFor = async (...hashes: string[]) => {
    const before = read.length
    for (const hash of hashes) expect((await ring.find(hash))?.id).toBe(hash.startsWith('known') ? hash : undefined)
    return read.slice(before)
  }
  return { ring, slow, moved, readFor }
}

it('reads a key once, and again when it was changed', async () => {
  const { moved, readFor } = counting()
  expect(await readFor('known-1', 'known-2', 'known-1', 'known-2')).toEqual(['known-1', 'known-2'])
  moved('known-1')
  expect(await readFor('known-1', 'known-2', 'known-1')).toEqual(['known-1'])
})

it('reads a stranger again when one of that hash was made', async () => {
  const { moved, readFor } = counting()
  expect(await readFor('stranger', 'other', 'stranger')).toEqual(['stranger', 'other'])
  moved('stranger')
  expect(await readFor('stranger', 'other')).toEqual(['stranger'])
})

it('forgets nothing when what was written concerns no key', async () => {
  const { moved, readFor } = counting()
  await readFor('known-1', 'stranger')
  moved()
  expect(await readFor('known-1', 'stranger')).toEqual([])
})

it('forgets everything when more was changed than the store remembers', async () => {
  const { moved, readFor } = counting()
  await readFor('known-1', 'stranger')
  moved(null)
  expect(await readFor('known-1', 'stranger')).toEqual(['known-1', 'stranger'])
})

it('keeps the keys that are in use when there are more than it may hold', async () => {
  const { readFor } = counting(100)
  const some = (from: number) => Array.from({ length: 60 }, (_, i) => `known-${from + i}`)
  expect(await readFor(...some(0))).toHaveLength(60)
  expect(await readFor(...some(100), ...some(0))).toHaveLength(60)
  expect(await readFor(...some(200), ...some(0))).toHaveLength(60)
  expect(await readFor(...some(0))).toEqual([])
  expect(await readFor('known-100')).toEqual(['known-100'])
})

it('forgets the first of many strangers, and no key for their sake', async () => {
  const { readFor } = counting()
  await readFor('known-1')
  await readFor(...Array.from({ length: 5001 }, (_, i) => `stranger-${i}`))
  expect(await readFor('stranger-5000', 'known-1')).toEqual([])
  expect(await readFor('stranger-0')).toEqual(['stranger-0'])
})

it('says of a key in memory that it is active, until something was written', async () => {
  const { ring, moved, readFor } = counting()
  const now = new Date()
  expect(ring.active('known-1', now)).toBeUndefined()
  await readFor('known-1', 'stranger')
  expect(ring.active('known-1', now)?.id).toBe('known-1')
  expect(ring.active('stranger', now)).toBeUndefined()
  moved('known-2')
  expect(ring.active('known-1', now)).toBeUndefined()
  await readFor('known-2')
  expect(ring.active('known-1', now)?.id).toBe('known-1')
  moved('known-1')
  await readFor('known-2')
  expect(ring.active('known-1', now)).toBeUndefined()
})

it('keeps nothing of a read that a change has overtaken', async () => {
  const { ring, slow, moved, readFor } = counting()
  await readFor('known-1')
  const { promise, resolve } = Promise.withResolvers<void>()
  slow.read = promise
  const late = ring.find('known-2')
  moved('known-2')
  await ring.find('known-1')
  resolve()
  await late
  expect(await readFor('known-2', 'known-2')).toEqual(['known-2'])
})

it('waits for the latest change, although an earlier one is still being asked for', async () => {
  const { ring, slow, moved, readFor } = counting()
  await readFor('known-1', 'known-2')
  const { promise, resolve } = Promise.withResolvers<void>()
  slow.changes = promise
  moved('known-1')
  const first = ring.find('known-1')
  moved('known-2')
  const second = ring.find('known-2')
  resolve()
  await Promise.all([first, second])
  expect(await readFor('known-1', 'known-2')).toEqual([])
})
