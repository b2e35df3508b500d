import { describe, expect, it } from 'vitest'
import { modern, offering, olderClient, overStdio } from '../support/mcp.ts'
import { start } from '../support/start.ts'

async function serving() {
  const app = await start()
  await offering(app, 'fix', { live: overStdio() })
  const { fullKey } = await app.key()
  return { app, fullKey }
}

describe('a notification that asks for an answer', () => {
  const params = { requestId: 1, reason: 'somebody else’s' }

  it.each(['/mcp/fix', '/mcp'])('is refused at %s in both eras', async (path) => {
    const { app, fullKey } = await serving()
    const older = await olderClient(app, path, fullKey)
    for (const answer of [
      await older.ask('notifications/cancelled', params),
      await app.call('POST', path, { key: fullKey, ...modern('notifications/cancelled', params) }),
    ])
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { id: 1, error: { code: -32600, message: 'A notification has no `id`.' } },
      ])
    expect((await older.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params })).status).toBe(202)
  })
})
