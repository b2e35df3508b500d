import { describe, expect, it } from 'vitest'
import { createWorkspace } from '../../src/core/workspaces/workspaces.ts'
import { jsonOf } from '../support/json.ts'
import { robot, start } from '../support/start.ts'

async function managed() {
  const app = await start()
  const { fullKey } = await app.key({ name: 'checker', scopes: ['keys:read'] })
  const check = async (body: object) => {
    const response = await app.post('/api/v1/keys/verify', body, fullKey)
    return { status: response.status, ...(await jsonOf(response)) }
  }
  return { ...app, fullKey, check }
}

describe('keys/verify', () => {
  it('knows a good key', async () => {
    const { key, check } = await managed()
    const { key: own, fullKey } = await key({ name: 'customer 7', scopes: ['mcp:docs:search'] })
    const answer = await check({ key: `  ${fullKey}\n` })
    expect(answer).toMatchObject({ status: 200, valid: true, code: 'ok' })
    expect(answer.key).toMatchObject({
      id: own.id,
      name: 'customer 7',
      environment: 'live',
      scopes: ['mcp:docs:search'],
    })
    expect(JSON.stringify(answer)).not.toContain(fullKey)
  })

  it('says what is wrong with a bad one', async () => {
    const { key, check, call, ctx, advance } = await managed()
    const { fullKey: manager } = await key({ scopes: ['mcp:*', 'keys:write'] })
    const { key: disabled, fullKey: one } = await key()
    const { key: revoked, fullKey: two } = await key()
    const { fullKey: expired } = await key({ expiresAt: new Date(ctx.now().getTime() + 1000) })
    const { fullKey: early } = await key({ notBefore: new Date('2027-01-01') })
    await call('POST', `/api/v1/keys/${disabled.id}/disable`, { key: manager })
    await call('POST', `/api/v1/keys/${revoked.id}/revoke`, { key: manager })
    advance(1000)
    const codes = []
    for (const key of [one, two, expired, early]) codes.push(await check({ key }))
    expect(codes.map(({ valid, code, key }) => [valid, code, key.status])).toEqual([
      [false, 'disabled_key', 'disabled'],
      [false, 'revoked_key', 'revoked'],
      [false, 'expired_key', 'expired'],
      [false, 'not_yet_valid', 'scheduled'],
    ])
  })

  it('says nothing of keys elsewhere', async () => {
    const { key, check, ctx, advance } = await managed()
    const other = await createWorkspace(ctx, robot, null, 'Other')
    const { fullKey: foreign } = await key({}, other.id)
    const { fullKey: ended } = await key({ expiresAt: new Date(ctx.now().getTime() + 1000) }, other.id)
    const { fullKey: test } = await key({ environment: 'test' })
    const { fullKey: good } = await key()
    advance(1000)
    const never = `${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`
    for (const unknown of [foreign, ended, test])
      expect(await check({ key: unknown })).toEqual({ status: 200, valid: false, code: 'unknown_key', key: null })
    for (const malformed of [never, 'x', 'sk_live_123'])
      expect(await check({ key: malformed })).toEqual({ status: 200, valid: false, code: 'malformed_key', key: null })
  })

  it.each([
    [{ mcp: 'docs' }, 'ok'],
    [{ mcp: 'wiki' }, 'insufficient_scope'],
    [{ mcp: 'docs', tool: 'search' }, 'ok'],
    [{ mcp: 'docs', tool: 'get_doc' }, 'insufficient_scope'],
    [{ mcp: 'files', tool: 'read' }, 'mcp_not_permitted'],
    [{ mcp: 'git', tool: 'log' }, 'ok'],
    [{ mcp: 'git', tool: 'push' }, 'tool_not_permitted'],
    [{ tool: 'search' }, 'ok'],
    [{ tool: 'push' }, 'tool_not_permitted'],
    [{ tool: 'nothing' }, 'tool_not_permitted'],
    [{ scope: 'mcp:docs:search' }, 'ok'],
    [{ scope: 'mcp:*' }, 'insufficient_scope'],
    [{ scope: 'usage:read' }, 'ok'],
    [{ scope: 'audit:read' }, 'insufficient_scope'],
    [{ ip: '10.1.2.3' }, 'ok'],
    [{ ip: '::ffff:10.1.2.3' }, 'ok'],
    [{ ip: '11.1.2.3' }, 'ip_not_allowed'],
    [{ ip: '11.1.2.3', scope: 'audit:read' }, 'ip_not_allowed'],
    [{ mcp: null, tool: null, scope: null, ip: null }, 'ok'],
  ])('judges %j', async (use, code) => {
    const { key, check } = await managed()
    const { fullKey } = await key({
      scopes: ['mcp:docs:search', 'mcp:git:*', 'mcp:files:*', 'usage:read'],
      mcpAccess: {
        mode: 'selected',
        mcps: [
          { slug: 'docs', tools: null },
          { slug: 'git', tools: ['log'] },
        ],
      },
      ipAllow: ['10.0.0.0/8'],
    })
    const answer = await check({ key: fullKey, ...use })
    expect([answer.valid, answer.code, answer.key.hint.slice(0, 9)]).toEqual([code === 'ok', code, 'clv_live_'])
  })

  it.each([
    [{ scope: 'mcps:rea' }, 'scope'],
    [{ ip: 'home' }, 'ip'],
    [{ mcp: 'No!' }, 'mcp'],
    [{ tool: '' }, 'tool'],
    [{ tools: 'x' }, 'tools'],
    [{ key: '' }, 'key'],
    [{ key: 7 }, 'key'],
  ])('refuses %j', async (use, field) => {
    const { fullKey, check } = await managed()
    expect(await check({ key: fullKey, ...use })).toMatchObject({ status: 422, errors: [{ field }] })
  })

  it('needs keys:read', async () => {
    const { key, post } = await managed()
    const { fullKey } = await key({ scopes: ['mcp:*', 'keys:write'] })
    expect(await jsonOf(post('/api/v1/keys/verify', { key: fullKey }, fullKey))).toMatchObject({
      code: 'insufficient_scope',
    })
  })

  it('leaves no key in the log', async () => {
    const { key, check, logs } = await managed()
    const { fullKey } = await key()
    await check({ key: fullKey, tols: 'x' })
    await check({ key: fullKey })
    expect(logs.join('')).not.toContain(fullKey.slice(9))
  })
})
