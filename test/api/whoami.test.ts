import { expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { start } from '../support/start.ts'

it('shows the calling key and its workspace', async () => {
  const { get, key, workspace } = await start()
  const { key: own, fullKey } = await key({ name: 'CI', scopes: ['mcp:docs:search'] })
  const response = await get('/api/v1/whoami', fullKey)
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  const body = await jsonOf(response)
  expect(body).toMatchObject({
    id: own.id,
    name: 'CI',
    status: 'active',
    scopes: ['mcp:docs:search'],
    workspace: { id: workspace.id, slug: 'main', name: 'Main' },
  })
  expect(JSON.stringify(body)).not.toContain(fullKey)
})

it('needs no scope at all', async () => {
  const { get, key } = await start()
  const { fullKey } = await key({ scopes: ['mcp:none'] })
  expect((await get('/api/v1/whoami', fullKey)).status).toBe(200)
})

it('says when the key ends, in its last seven days', async () => {
  const { get, key, advance } = await start({ now: new Date('2026-06-01T12:00:00Z') })
  const { fullKey } = await key({ expiresAt: new Date('2026-06-08T12:00:01Z') })
  expect((await get('/api/v1/whoami', fullKey)).headers.get('claviger-key-expires')).toBeNull()
  advance(1000)
  expect((await get('/api/v1/whoami', fullKey)).headers.get('claviger-key-expires')).toBe('2026-06-08T12:00:01.000Z')
  expect((await get('/api/v1/nowhere', fullKey)).headers.get('claviger-key-expires')).toBe('2026-06-08T12:00:01.000Z')
})
