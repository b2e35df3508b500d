import { describe, expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { start } from '../support/start.ts'

const MIGHTY = { scopes: ['mcp:*', 'keys:read', 'keys:write'] }

describe('a list by name', () => {
  it.each([
    ['three bytes', '鍵'],
    ['four bytes', '🗝'],
    ['two letters once it is JSON', '"'],
  ])('goes on after a name as long as there can be, of letters of %s', async (_what, letter) => {
    const { key, get } = await start()
    const name = letter.repeat(100)
    const { fullKey } = await key({ ...MIGHTY, name })
    await key({ name })
    const first = await jsonOf(get('/api/v1/keys?sort=name&limit=1', fullKey))
    const rest = await jsonOf(get(`/api/v1/keys?sort=name&limit=1&cursor=${first.next_cursor}`, fullKey))
    expect([first.data.length, rest.data.length, rest.next_cursor]).toEqual([1, 1, null])
    expect(rest.data[0].id).not.toBe(first.data[0].id)
  })
})

describe('a change of a key', () => {
  it('that names nothing is refused, and reads nothing', async () => {
    const { key, call } = await start()
    const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
    const { key: other } = await key()
    const answer = await jsonOf(call('PATCH', `/api/v1/keys/${other.id}`, { body: {}, key: fullKey }))
    expect(answer).toMatchObject({
      status: 422,
      code: 'validation_failed',
      errors: [{ field: 'body', message: 'Name at least one member that is to change.' }],
    })
    expect(answer).not.toHaveProperty('name')
  })
})

it('tells what `never` means for each body that takes it', async () => {
  const { get } = await start()
  const { paths } = await jsonOf(get('/api/v1/openapi.json'))
  const of = (path: string, method: string) => {
    const { schema } = paths[path][method].requestBody.content['application/json']
    return JSON.stringify(schema.properties.expires_at)
  }
  expect(of('/keys', 'post')).toContain('means: with that key')
  expect(of('/keys/{id}', 'patch')).toContain('may not give')
  expect(of('/keys/{id}', 'patch')).not.toContain('means: with')
})
