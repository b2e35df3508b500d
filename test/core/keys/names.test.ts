import { describe, expect, it } from 'vitest'
import { nameFor } from '../../../src/core/connect/sibling.ts'
import { edit } from '../../../src/core/keys/lifecycle.ts'
import { jsonOf } from '../../support/json.ts'
import { operator, start } from '../../support/start.ts'

/** Each hides what stands beside it, or turns it round. */
const UNSEEN = ['a\nb', 'a\tb', 'a\u0000b', 'a\u001b[31mb', 'a\u202eb', 'a\u2066b', 'a\u2028b', 'a\ufeffb']

describe('the name of a key', () => {
  it.each(UNSEEN)('is never %j, when it is issued or later', async (name) => {
    const { key, ctx, workspace, post } = await start()
    const refused = { code: 'validation_failed', errors: [{ field: 'name' }] }
    await expect(key({ name })).rejects.toMatchObject(refused)
    const { key: made, fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
    await expect(edit(ctx, operator, workspace.id, made.id, { name })).rejects.toMatchObject(refused)
    expect(await jsonOf(post('/api/v1/keys', { name }, fullKey))).toMatchObject(refused)
  })

  it.each(['Ana’s laptop', 'Übung 1', 'مفتاح', '鍵', '👩‍💻 at work'])('may be %s', async (name) => {
    const { key } = await start()
    expect((await key({ name })).key.name).toBe(name)
  })

  it('is made of a person’s, whatever that holds', () => {
    expect(nameFor('cursor', 'A\u202ena\nB')).toBe('Cursor, A na B')
  })
})
