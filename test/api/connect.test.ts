import { describe, expect, it } from 'vitest'
import { CLIENT_NAMES } from '../../src/core/connect/clients.ts'
import { jsonOf } from '../support/json.ts'
import { offering } from '../support/mcp.ts'
import { start } from '../support/start.ts'

const target = { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} } as const

describe('GET /connect/{client}', () => {
  it('answers for each client, with no key in it', async () => {
    const app = await start()
    const { fullKey } = await app.key()
    for (const client of CLIENT_NAMES) {
      const answer = await app.get(`/api/v1/connect/${client}`, fullKey)
      const text = await answer.text()
      expect([answer.status, text.includes(fullKey)]).toEqual([200, false])
      expect(JSON.parse(text)).toMatchObject({ client, variants: expect.any(Array) })
    }
  })

  it('shows the command that a person would paste', async () => {
    const app = await start()
    const { fullKey } = await app.key()
    const { kind, variants } = await jsonOf(app.get('/api/v1/connect/claude-code', fullKey))
    expect(kind).toBe('command')
    expect(variants[0].content).toBe(
      `claude mcp add --scope user --transport http claviger ${app.origin}/mcp --header "Authorization: Bearer YOUR_API_KEY"`,
    )
  })

  it('leads to the public URL, whatever address was used', async () => {
    const app = await start({ env: { CLAVIGER_PUBLIC_URL: 'https://keys.acme.com' } })
    const { fullKey } = await app.key()
    await offering(app, 'wiki', { live: target })
    const { variants } = await jsonOf(app.get('/api/v1/connect/json?mcp=wiki', fullKey))
    expect(JSON.parse(variants[0].content).mcpServers.wiki.url).toBe('https://keys.acme.com/mcp/wiki')
  })

  it('tells an MCP that the key may not use from one that is not there by nothing', async () => {
    const app = await start()
    await offering(app, 'wiki', { live: target })
    await offering(app, 'payroll', { live: target })
    const { fullKey } = await app.key({ mcpAccess: { mode: 'selected', mcps: [{ slug: 'wiki', tools: null }] } })
    const asked = async (slug: string) => {
      const { request_id: _id, ...problem } = await jsonOf(app.get(`/api/v1/connect/codex?mcp=${slug}`, fullKey))
      return problem
    }
    expect(await asked('payroll')).toMatchObject({ status: 403, code: 'mcp_not_permitted' })
    expect(JSON.stringify(await asked('payroll')).replaceAll('payroll', 'x')).toBe(
      JSON.stringify(await asked('nothing')).replaceAll('nothing', 'x'),
    )
    expect(await asked('wiki')).toMatchObject({ client: 'codex' })
  })

  it('names the clients that there are to whoever asks for another', async () => {
    const app = await start()
    const { fullKey } = await app.key()
    const problem = await jsonOf(app.get('/api/v1/connect/emacs', fullKey))
    expect(problem).toMatchObject({ status: 404, code: 'not_found', detail: expect.stringContaining('claude-code') })
  })
})
