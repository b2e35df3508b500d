import { describe, expect, it } from 'vitest'
import { revoke } from '../../src/core/keys/lifecycle.ts'
import { operator, start } from '../support/start.ts'

/** What clients show of a refusal differs: the body, the header, or only what they meet where they look for OAuth. */
describe('a client with a revoked key', () => {
  it('reads the code and the sentence in the header', async () => {
    const app = await start()
    const { key, fullKey } = await app.key()
    await revoke(app.ctx, operator, app.workspace.id, key.id, null)
    const answer = await app.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, fullKey)
    const description = /error_description="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1]
    expect(description).toBe('revoked_key: This key was revoked. Ask for a new one.')
  })

  it.each(['/register', '/.well-known/oauth-protected-resource/mcp'])(
    'is told at %s that it was refused',
    async (path) => {
      const app = await start()
      const answer = await (path === '/register' ? app.post(path) : app.get(path))
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({
        code: 'not_found',
        detail: expect.stringMatching(/no OAuth.*revoked/),
      })
    },
  )
})
