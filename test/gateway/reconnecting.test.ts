import { expect, it } from 'vitest'
import { modern, offering, olderClient, overStdio, said } from '../support/mcp.ts'
import { type Started, start } from '../support/start.ts'
import { everythingOverSse } from './real-upstreams/servers.ts'

/** The mark that tells one child from another, as the child itself sees it. */
async function childBehind(answer: Response): Promise<unknown> {
  const { result } = await said(answer)
  const seen = result?.structuredContent as { env: Record<string, string> } | undefined
  return seen?.env.MCP_CHILD
}

function callModern(app: Started, key: string, name: string) {
  const { body, headers } = modern('tools/call', { name, arguments: {} })
  return app.call('POST', '/mcp/fix', { key, body, headers })
}

it('keeps the child that it falls back to when a server does not speak 2026-07-28', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio('--era', 'legacy') })
  const { fullKey } = await app.key()
  const first = await childBehind(await callModern(app, fullKey, 'env'))
  expect(first).toEqual(expect.any(String))
  expect(await childBehind(await callModern(app, fullKey, 'env'))).toBe(first)
})

it('begins again when the child it fell back to has died', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio('--era', 'legacy') })
  const { fullKey } = await app.key()
  const first = await childBehind(await callModern(app, fullKey, 'env'))
  await said(await callModern(app, fullKey, 'crash'))
  const second = await childBehind(await callModern(app, fullKey, 'env'))
  expect(second).toEqual(expect.any(String))
  expect(second).not.toBe(first)
})

it('keeps the connection to a server that speaks the older HTTP+SSE alone', async () => {
  const app = await start()
  const { target, close } = await everythingOverSse.start('/unused')
  try {
    await offering(app, 'sse', { live: target })
    const { fullKey } = await app.key()
    const client = await olderClient(app, '/mcp/sse', fullKey)
    const gzip = { name: 'kept.gz', data: 'data:text/plain,hello' }
    await said(await client.ask('tools/call', { name: 'gzip-file-as-resource', arguments: gzip }))
    const uri = 'demo://resource/session/kept.gz' // known in the session alone that made it
    expect((await said(await client.ask('resources/read', { uri }))).result?.contents).toHaveLength(1)
  } finally {
    await app.close()
    await close()
  }
})
