import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectionOver } from '../../src/upstreams/connection.ts'
import type { WireEvents } from '../../src/upstreams/wire.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

async function connected() {
  const sent: { id?: number; method: string; params?: Record<string, unknown> }[] = []
  const broken: unknown[] = []
  let events!: WireEvents
  const connection = await connectionOver(
    async (given) => {
      events = given
      return { send: (text) => void sent.push(JSON.parse(text)), close: async () => {} }
    },
    { unasked() {}, closed() {}, broke: (error) => void broken.push(error) },
  )
  const report = () =>
    events.message(
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: sent[0]!.id, progress: 1 },
      }),
      null,
    )
  return { connection, sent, report, broken, events: () => events }
}

it('gives a call that reports progress more time, and no more than ten times as much', async () => {
  const { connection, report } = await connected()
  const failed = connection
    .call({ method: 'tools/call', params: { _meta: { progressToken: 'mine' } }, timeoutMs: 60_000 })
    .catch((error: Error) => error.message)
  for (let minute = 0; minute < 20; minute++) {
    vi.advanceTimersByTime(30_000)
    report()
  }
  vi.advanceTimersByTime(30_000)
  expect(await failed).toMatch(/did not answer within (5[4-9]\d|600) s/)
})

it('lets no report of progress hold a call for more than an hour', async () => {
  const { connection, report } = await connected()
  let over = false
  const failed = connection
    .call({ method: 'tools/call', params: { _meta: { progressToken: 1 } }, timeoutMs: 1_800_000 })
    .catch(() => {
      over = true
    })
  for (let minute = 0; minute < 60; minute++) {
    vi.advanceTimersByTime(60_000)
    report()
  }
  await failed
  expect(over).toBe(true)
})

it('never cancels a handshake by message', async () => {
  const { connection, sent } = await connected()
  const stop = new AbortController()
  const failed = connection
    .call({ method: 'initialize', params: {}, timeoutMs: 60_000, signal: stop.signal })
    .catch((error: Error) => error.name)
  stop.abort()
  expect(await failed).toBe('Cancelled')
  expect(sent.map(({ method }) => method)).toEqual(['initialize'])
})

describe('what nobody could write again', () => {
  const NESTED = `${'['.repeat(40_000)}${']'.repeat(40_000)}`

  it.each([
    ['at the start', `{"jsonrpc":"2.0","id":1,"extra":1,"result":${NESTED}}`, null],
    ['at the end', `{"result":${NESTED},"extra":1,"id":1}`, null],
    ['nowhere, on its own exchange', `{"error":${NESTED}}`, 1],
  ])('fails the call that it answers, with the id %s', async (_where, text, exchange) => {
    const { connection, events } = await connected()
    const failed = connection.call({ method: 'tools/call', params: {}, timeoutMs: 60_000 }).catch((error) => error)
    events().message(text, exchange)
    expect(await failed).toMatchObject({ failure: { message: expect.stringContaining('nested too deep') } })
  })

  it('is not told on when it is no answer, and fails nothing', async () => {
    const { connection, events } = await connected()
    const told: object[] = []
    const answer = connection.call({
      method: 'tools/call',
      params: { _meta: { progressToken: 'mine' } },
      timeoutMs: 60_000,
      aside: (message) => void told.push(message),
    })
    for (const exchange of [1, null])
      events().message(
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"x":${NESTED}}}`,
        exchange,
      )
    events().message(`{"jsonrpc":"2.0","id":1,"method":"roots/list","params":${NESTED}}`, null)
    events().message('{"jsonrpc":"2.0","id":1,"result":{}}', null)
    expect((await answer).text).toContain('"result":{}')
    expect(told).toEqual([])
  })
})

it('goes on hearing after a mistake of ours, and tells of it', async () => {
  const { connection, events, broken } = await connected()
  const answer = connection.call({
    method: 'tools/call',
    params: { _meta: { progressToken: 'mine' } },
    timeoutMs: 60_000,
    aside() {
      throw new Error('a mistake')
    },
  })
  events().message('{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}', null)
  events().message('{"jsonrpc":"2.0","id":1,"result":{}}', null)
  expect((await answer).text).toContain('"result":{}')
  expect(broken).toEqual([expect.objectContaining({ message: 'a mistake' })])
})
