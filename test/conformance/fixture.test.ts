import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFixture } from '../fixtures/upstream/http.ts'
import { type AnyClient, clientV1, clientV2 } from './clients.ts'
import { startHeaderProxy } from './header-proxy.ts'
import { runConformance } from './run.ts'

// How many scored scenarios each suite has: a suite that ran fewer has shown less.
const SUITES = [
  ['classic', 30],
  ['2025-11-25', 30],
  ['2026-07-28', 37],
] as const

describe('the fixture over HTTP', () => {
  it.each(SUITES)('passes every scored scenario of %s', async (suite, count) => {
    const fixture = await startFixture()
    const { passed, failed } = await runConformance({ suite, url: fixture.url }).finally(fixture.close)
    expect(failed).toEqual([])
    expect(passed).toBe(count)
  })

  it('passes the same behind the header proxy', async () => {
    const fixture = await startFixture()
    const proxy = startHeaderProxy({ target: fixture.url, headers: { authorization: 'Bearer K' } })
    const outcome = await runConformance({ suite: '2026-07-28', url: proxy.url }).finally(async () => {
      await proxy.close()
      await fixture.close()
    })
    const apart = outcome.unscored.filter(({ name }) => name.startsWith('http-'))
    expect(outcome.failed).toEqual([])
    expect(apart.map(({ name, ok }) => [name, ok])).toEqual([
      ['http-header-validation', true],
      ['http-custom-header-server-validation', true],
    ])
  })

  it.each([
    ['legacy', '2026-07-28'],
    ['modern', 'classic'],
  ] as const)('fails as %s alone in %s', async (era, suite) => {
    const fixture = await startFixture({ era })
    const { passed, failed } = await runConformance({ suite, url: fixture.url }).finally(fixture.close)
    expect(failed.length).toBeGreaterThan(passed)
  })
})

const PROGRAM = new URL('../fixtures/upstream/main.ts', import.meta.url).pathname
const ARGS = [PROGRAM, '--stdio']

describe.each([
  ['SDK v2 in auto mode', 'modern', () => clientV2('auto', ARGS)],
  ['SDK v2 in auto mode, fixture legacy', 'legacy', () => clientV2('auto', [...ARGS, '--era', 'legacy'])],
  ['SDK v2 in legacy mode', 'legacy', () => clientV2('legacy', ARGS)],
  ['SDK v1', 'legacy', () => clientV1(ARGS)],
] as const)('the fixture over stdio with %s', (_who, era, connect) => {
  let client: AnyClient
  beforeAll(async () => {
    client = await connect()
  })
  afterAll(() => client?.close())

  it(`speaks the ${era} era`, () => {
    expect(client.era).toBe(era)
  })

  it('lists tools in the same order', async () => {
    const names = await client.toolNames()
    expect(names).toContain('test_simple_text')
    expect(await client.toolNames()).toEqual(names)
  })

  it('reports progress while it works', async () => {
    const seen: number[] = []
    await client.call('test_tool_with_progress', {}, (progress) => seen.push(progress))
    expect(seen).toEqual([0, 50, 100])
  })

  it('has the client ask its model', async () => {
    expect(await client.call('test_sampling', { prompt: 'Which city?' })).toMatchObject(saying('Paris'))
  })

  it('has the client ask its user', async () => {
    expect(await client.call('test_elicitation', { message: 'Who?' })).toMatchObject(saying('ada@example.com'))
  })

  it('asks three things in one call', async () => {
    const answer = await client.call('test_input_required_result_multiple_inputs')
    expect(answer).toMatchObject(saying('state-ok'))
    expect(answer).toMatchObject(saying('file:///work'))
  })
})

function saying(text: string) {
  return { content: [{ type: 'text', text: expect.stringContaining(text) }] }
}
