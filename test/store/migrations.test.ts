import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('numbers every migration once, without a gap', () => {
  const names = readdirSync(join(import.meta.dirname, '../../src/store/migrations')).sort()
  const expected = names.map((_, at) => String(at + 1).padStart(4, '0'))
  expect(names.map((name) => name.slice(0, 4))).toEqual(expected)
})
