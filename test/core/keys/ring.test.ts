import { expect, it } from 'vitest'
import type { Context } from '../../../src/core/context.ts'
import { keyRing } from '../../../src/core/keys/ring.ts'

/** A store that knows the keys whose hash begins with `known`, and counts how often it is read. */
function counting() {
  const read: string[] = []
  let version = 1
  const findByHash = async (hash: string) => {
    read.push(hash)
    return hash.startsWith('known') ? { id: hash } : null
  }
  const store = { version: () => version, keys: { findByHash } }
  return { ring: keyRing({ store } as unknown as Pick<Context, 'store'>), read, moved: () => void version++ }
}

it('reads a key once, and again when anything has changed', async () => {
  const { ring, read, moved } = counting()
  for (let i = 0; i < 3; i++) expect(await ring.find('known-1')).toEqual({ id: 'known-1' })
  expect(read).toHaveLength(1)
  moved()
  await ring.find('known-1')
  expect(read).toHaveLength(2)
})

it('forgets the first of many strangers, and no key for their sake', async () => {
  const { ring, read } = counting()
  await ring.find('known-1')
  for (let i = 0; i <= 5000; i++) expect(await ring.find(`stranger-${i}`)).toBeNull()
  const before = read.length
  await ring.find('stranger-5000')
  await ring.find('known-1')
  expect(read.slice(before)).toEqual([])
  await ring.find('stranger-0')
  expect(read.slice(before)).toEqual(['stranger-0'])
})
