import { describe, expect, it } from 'vitest'
import { removeMcp } from '../../src/core/mcps/edit.ts'
import { startFixture } from '../fixtures/upstream/http.ts'
import { modern, offering, olderClient, overHttp, overStdio, said } from '../support/mcp.ts'
import { operator, type Started, start } from '../support/start.ts'

const names = ({ result }: Awaited<ReturnType<typeof said>>) =>
  (result!.tools as { name: string }[]).map(({ name }) => name)
const list = async (app: Started, key: string, path = '/mcp') =>
  said(await app.call('POST', path, { key, ...modern('tools/list') }))

describe('what arrives at an HTTP server', () => {
  it.each(['modern', 'legacy'] as const)('is its own credential and nothing of the caller’s (%s)', async (era) => {
    const app = await start()
    const target = await overHttp({ era }, { Authorization: 'Bearer for-the-upstream', 'X-Team': 'blue' })
    await offering(app, 'fix', { live: target })
    const { fullKey } = await app.key()
    const call = modern('tools/call', { name: 'headers', arguments: {} })
    const carried = {
      cookie: 'claviger_session=clv_session_abc',
      'x-forwarded-for': '203.0.113.9',
      'x-custom': 'mine',
      te: 'trailers',
    }
    const answer = await said(
      await app.call('POST', '/mcp/fix', { key: fullKey, body: call.body, headers: { ...call.headers, ...carried } }),
    )
    const { headers } = answer.result!.structuredContent as { headers: Record<string, string> }
    expect(headers).toMatchObject({ authorization: 'Bearer for-the-upstream', 'x-team': 'blue' })
    expect(JSON.stringify(headers)).not.toContain(fullKey)
    for (const name of ['cookie', 'x-forwarded-for', 'x-custom', 'x-api-key', 'te'])
      expect(headers[name]).toBeUndefined()
  })
})

it('gives a child only what was declared', async () => {
  const app = await start({ env: { CLAVIGER_KEY_PREFIX: 'acme' } })
  await offering(app, 'fix', { live: { ...overStdio(), env: { TEAM: 'blue' } } })
  const { fullKey } = await app.key()
  const answer = await said(
    await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/call', { name: 'env', arguments: {} }) }),
  )
  const { env } = answer.result!.structuredContent as { env: Record<string, string> }
  expect(env.TEAM).toBe('blue')
  expect(Object.keys(env).filter((name) => /^(CLAVIGER_(?!CHILD)|VITEST|NODE_ENV|npm_)/.test(name))).toEqual([])
})

describe('an HTTP server that is started anew', () => {
  it('is greeted again within the same session of the client', async () => {
    const app = await start()
    const first = await startFixture({ era: 'legacy' })
    await offering(app, 'fix', { live: { kind: 'http', url: first.url, headers: {} } })
    const { fullKey } = await app.key()
    const client = await olderClient(app, '/mcp/fix', fullKey)
    await client.ask('tools/list')
    await first.close()
    const second = await startFixture({ era: 'legacy', port: Number(new URL(first.url).port) })
    const answer = await said(await client.ask('tools/call', { name: 'echo', arguments: { text: 'still here' } }))
    await second.close()
    expect(JSON.stringify(answer)).toContain('still here')
  })
})

describe('a server that is down', () => {
  it('costs the others nothing, and keeps its place in the list', async () => {
    const app = await start()
    const gone = await startFixture()
    await offering(app, 'a', { live: overStdio() })
    await offering(app, 'b', { live: { kind: 'http', url: gone.url, headers: {} } })
    const { fullKey } = await app.key()
    expect(names(await list(app, fullKey))).toEqual(expect.arrayContaining(['a__echo', 'b__echo']))
    await gone.close()
    app.advance(120_000)
    expect(names(await list(app, fullKey))).toEqual(expect.arrayContaining(['a__echo', 'b__echo']))
    const call = (name: string) =>
      app.call('POST', '/mcp', { key: fullKey, ...modern('tools/call', { name, arguments: { text: 'hi' } }) })
    expect((await said(await call('a__echo'))).result).toBeDefined()
    expect((await said(await call('b__echo'))).error).toMatchObject({
      code: -32050,
      data: { code: 'upstream_unavailable' },
    })
    expect(names(await list(app, fullKey, '/mcp/b'))).toContain('echo')
  })

  it('that was never heard is left out, and the rest is there', async () => {
    const app = await start()
    await offering(app, 'a', { live: overStdio() })
    await offering(app, 'never', { live: { ...overStdio(), command: 'no-such-command' } })
    const { fullKey } = await app.key()
    expect(new Set(names(await list(app, fullKey)).map((name) => name.split('__')[0]))).toEqual(new Set(['a']))
  })
})

it('ends what is reached when an MCP is removed', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key()
  const client = await olderClient(app, '/mcp/fix', fullKey, { elicitation: {} })
  await client.ask('tools/list')
  const sleeping = client.ask('tools/call', { name: 'sleep', arguments: { ms: 60_000 } })
  await removeMcp(app.ctx, operator, app.workspace.id, 'fix')
  expect((await said(await sleeping)).error).toBeDefined()
  expect((await said(await client.ask('tools/list'))).error?.data).toMatchObject({ code: 'mcp_not_permitted' })
})

it('refuses addresses of the cloud’s metadata whatever is allowed', async () => {
  const app = await start()
  for (const [slug, url] of [
    ['meta', 'http://169.254.169.254/latest'],
    ['linklocal', 'http://[fe80::1]/mcp'],
  ] as const)
    await offering(app, slug, { live: { kind: 'http', url, headers: {} } })
  const { fullKey } = await app.key()
  for (const slug of ['meta', 'linklocal'])
    expect((await list(app, fullKey, `/mcp/${slug}`)).error).toMatchObject({
      code: -32050,
      data: { code: 'upstream_unavailable' },
    })
})
