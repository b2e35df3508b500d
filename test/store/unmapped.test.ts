import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { folder, furnished, storeIn } from '../support/store.ts'

vi.mock('../../src/store/mapped.ts', () => ({ mapped: () => null }))

it('moves with the commits of others, and only with them, where the index of the log cannot be mapped', async () => {
  const file = join(folder(), 'claviger.db')
  const [server, other] = [storeIn(file), storeIn(file)]
  const before = server.version()
  expect(server.version()).toBe(before)
  await furnished(other)
  expect(server.version()).toBeGreaterThan(before)
})
