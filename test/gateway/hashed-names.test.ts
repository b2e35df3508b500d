import { describe, expect, it } from 'vitest'
import { exposedName } from '../../src/core/mcps/names.ts'
import { modern, offering, said } from '../support/mcp.ts'
import { start } from '../support/start.ts'
import { serve } from '../upstreams/serving.ts'

/** A server whose tools have names that no client takes as they are. */
function dotted() {
  const called: string[] = []
  const { url } = serve(({ text }) => {
    const { id, method, params } = JSON.parse(text)
    const answer = (result: object) =>
      Response.json({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } })
    const lasting = { ttlMs: 0, cacheScope: 'private' }
    if (method === 'server/discover')
      return answer({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ...lasting })
    if (method === 'tools/list')
      return answer({ tools: ['a.b', 'c.d'].map((name) => ({ name, inputSchema: { type: 'object' } })), ...lasting })
    called.push(params.name)
    return answer({ content: [] })
  })
  return { url, called }
}

describe('a tool whose name had to be hashed', () => {
  it('is called under its own name by keys that may, and by no others', async () => {
    const { url, called } = dotted()
    const app = await start()
    await offering(app, 'one', { live: { kind: 'http', url, headers: {} } })
    const key = async (wanted: object) => (await app.key(wanted)).fullKey
    const tools = (...named: string[]) => ({ mcpAccess: { mode: 'selected', mcps: [{ slug: 'one', tools: named }] } })
    const keys = {
      all: await key({}),
      chosen: await key(tools('a.b')),
      scoped: await key({ scopes: ['mcp:one:a.b'] }),
      elsewhere: await key({ mcpAccess: { mode: 'selected', mcps: [{ slug: 'two', tools: null }] } }),
    }
    const outcome = async (who: keyof typeof keys, name: string) => {
      const request = modern('tools/call', { name, arguments: {} })
      const { result, error } = await said(await app.call('POST', '/mcp', { key: keys[who], ...request }))
      return result ? 'ok' : error!.data!.code
    }
    const [first, second] = [exposedName('one', 'a.b'), exposedName('one', 'c.d')]
    expect([first, second]).toEqual([
      expect.stringMatching(/^one__a_b_[0-9a-f]{8}$/),
      expect.stringMatching(/^one__c_d_/),
    ])
    const both = async (who: keyof typeof keys) => [await outcome(who, first), await outcome(who, second)]
    expect(await both('all')).toEqual(['ok', 'ok'])
    expect(await both('chosen')).toEqual(['ok', 'tool_not_permitted'])
    expect(await both('scoped')).toEqual(['ok', 'insufficient_scope'])
    expect(await both('elsewhere')).toEqual(['mcp_not_permitted', 'mcp_not_permitted'])
    expect(called).toEqual(['a.b', 'c.d', 'a.b', 'a.b'])
  })
})
