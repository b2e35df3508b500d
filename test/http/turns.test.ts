import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { turnsOf } from '../../src/http/turns.ts'

/** Who takes turns of these sizes, and has begun; `close` is the end of its answer. */
function takers(most: number, sizes: Record<string, number>) {
  const turns = turnsOf(most)
  const begun: string[] = []
  const answers = new Map<string, EventEmitter>()
  for (const [name, size] of Object.entries(sizes)) {
    const answer = Object.assign(new EventEmitter(), { destroyed: false })
    answers.set(name, answer)
    void turns.take(size, answer as unknown as ServerResponse).then(() => begun.push(name))
  }
  const close = async (name: string) => {
    answers.get(name)!.emit('close')
    await now()
  }
  return { begun, close }
}

const now = () => new Promise((resolve) => setImmediate(resolve))

it('lets so much in at a time, and the rest in its order', async () => {
  const { begun, close } = takers(100, { a: 60, b: 60, c: 30, d: 40 })
  await now()
  expect(begun).toEqual(['a'])
  await close('a')
  expect(begun).toEqual(['a', 'b', 'c'])
  await close('c')
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
})

it('keeps nothing for who has hung up', async () => {
  const { begun, close } = takers(100, { a: 60, b: 100, c: 40 })
  await close('b')
  expect(begun).toEqual(['a', 'c'])
  await close('a')
  await close('c')
  const after = takers(100, { d: 500 })
  await now()
  expect(after.begun).toEqual(['d'])
})
