import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isDeep } from '../../src/core/depth.ts'

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

it('counts the brackets of a text and none within its strings', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 1, 2, 3, 4), (value, most) => {
      const text = JSON.stringify(value)
      expect(isDeep(text, most)).toBe(depthOf(value) > most)
    }),
  )
})

it.each([
  ['["\\\\", [[1]]]', true],
  ['["\\"", "[[[["]', false],
  ['["\\\\\\"[[[["      ]', false],
  ['{"a": {"b": {}}}', true],
  ['[[1], [2], [3]]', false],
  ['["never closed [[[[', false],
])('%s has more than two levels: %s', (text, deep) => {
  expect(isDeep(text, 2)).toBe(deep)
})
