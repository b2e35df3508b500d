import { describe, expect, it } from 'vitest'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { jsonOf } from '../support/json.ts'
import { robot, start } from '../support/start.ts'

async function managed() {
  const app = await start()
  const { key, fullKey } = await app.key({ name: 'auditor', scopes: ['mcp:*', 'audit:read', 'keys:write'] })
  const read = async (query = '') => jsonOf(app.get(`/api/v1/audit${query}`, fullKey))
  return { ...app, auditor: key, fullKey, read }
}

describe('audit', () => {
  it('tells who did what to which key', async () => {
    const { post, call, read, fullKey, auditor } = await managed()
    const made = await jsonOf(post('/api/v1/keys', { name: 'a' }, fullKey))
    const changed = await call('PATCH', `/api/v1/keys/${made.id}`, { body: { rate_limit_per_minute: 5 }, key: fullKey })
    const { data } = await read()
    expect(data[0]).toMatchObject({
      at: '2026-06-01T12:00:00.000Z',
      action: 'key.changed',
      actor: { kind: 'key', id: auditor.id, address: '127.0.0.1', request_id: changed.headers.get('x-request-id') },
      subject: { kind: 'key', id: made.id, label: `a (${made.hint})` },
      before: { rate_limit_per_minute: 600 },
      after: { rate_limit_per_minute: 5 },
    })
    expect(data.map(({ action }: { action: string }) => action)).toEqual([
      'key.changed',
      'key.created',
      'key.created',
      'workspace.created',
    ])
    expect(data[1].after).toMatchObject({ name: 'a', rate_limit_per_minute: 600, mcp_access: { mode: 'all' } })
    expect(JSON.stringify(data)).not.toContain(made.key)
  })

  it('pages and filters', async () => {
    const { post, read, fullKey } = await managed()
    const made = await jsonOf(post('/api/v1/keys', { name: 'a' }, fullKey))
    await post(`/api/v1/keys/${made.id}/revoke`, {}, fullKey)
    const first = await read('?limit=3')
    expect(first.data.map(({ seq }: { seq: number }) => seq)).toEqual([4, 3, 2])
    const second = await read(`?limit=3&cursor=${first.next_cursor}`)
    expect([second.data.map(({ seq }: { seq: number }) => seq), second.next_cursor]).toEqual([[1], null])
    expect((await read('?action=key.revoked')).data).toHaveLength(1)
    expect((await read(`?subject_id=${made.id}`)).data).toHaveLength(2)
    expect(await read('?action=key.eaten')).toMatchObject({ status: 422, errors: [{ field: 'action' }] })
  })

  it('keeps to its own workspace', async () => {
    const { ctx, key, read, get } = await managed()
    const other = await createWorkspace(ctx, robot, null, 'Other')
    const { fullKey } = await key({ name: 'theirs', scopes: ['audit:read'] }, other.id)
    expect(JSON.stringify(await read())).not.toContain('theirs')
    const theirs = await jsonOf(get('/api/v1/audit', fullKey))
    expect(theirs.data.map(({ subject }: { subject: { label: string } }) => subject.label)[0]).toMatch(/^theirs/)
    expect(JSON.stringify(theirs)).not.toContain('auditor')
  })

  it('is found whole, also while it grows', async () => {
    const { read, post, fullKey } = await managed()
    expect(await read('/verify')).toEqual({ ok: true, checked: 2 })
    const busy = Array.from({ length: 20 }, (_, i) => post('/api/v1/keys', { name: `key ${i}` }, fullKey))
    const findings = await Promise.all(Array.from({ length: 20 }, () => read('/verify')))
    await Promise.all(busy)
    for (const finding of findings) expect(finding).toMatchObject({ ok: true })
    expect(await read('/verify')).toEqual({ ok: true, checked: 22 })
  })

  it('is found out when a line was changed or is not sealed', async () => {
    const { ctx, read } = await managed()
    const { lines, head, list } = ctx.store.audit
    ctx.store.audit.lines = async function* (chain) {
      for await (const line of lines(chain)) yield line.seq === 2 ? { ...line, after: { name: 'another' } } : line
    }
    expect(await read('/verify')).toEqual({ ok: false, checked: 1, first_bad: { seq: 2, why: expect.any(String) } })
    ctx.store.audit.lines = lines
    ctx.store.audit.list = async (query, page) => {
      const found = await list(query, page)
      return { ...found, items: found.items.map((line) => ({ ...line, seq: line.seq + 1 })) }
    }
    expect(await read('/verify')).toMatchObject({ ok: false, first_bad: { seq: 3 } })
    ctx.store.audit.list = list
    ctx.store.audit.head = async () => null
    expect(await read('/verify')).toMatchObject({ ok: false })
    ctx.store.audit.head = head
    expect(await read('/verify')).toMatchObject({ ok: true })
  })
})
