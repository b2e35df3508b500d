import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addMcp } from '../../src/core/mcps/edit.ts'
import type { StdioTarget } from '../../src/core/mcps/mcp.ts'
import { connect } from '../support/clients.ts'
import { operator, type Started, start } from '../support/start.ts'

const fixture = join(import.meta.dirname, '../fixtures/upstream/main.ts')

function overStdio(...args: string[]): StdioTarget {
  return { kind: 'stdio', command: process.execPath, args: [fixture, '--stdio', ...args], env: {}, cwd: null }
}

async function offering(app: Started, slug: string, target: StdioTarget) {
  return addMcp(app.ctx, operator, app.workspace.id, { slug, live: target })
}

describe.each(['auto', 'legacy'] as const)('a %s client at /mcp/{slug}', (mode) => {
  it('lists and calls the tools of a stdio server', async () => {
    const app = await start()
    await offering(app, 'fix', overStdio())
    const { fullKey } = await app.key()
    const client = await connect(`${app.origin}/mcp/fix`, fullKey, { mode })
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('echo')
    const result = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    expect(JSON.stringify(result.content)).toContain('hello')
  })
})

describe.each(['auto', 'legacy'] as const)('a %s client at /mcp', (mode) => {
  it('lists and calls the tools of a stdio server under prefixed names', async () => {
    const app = await start()
    await offering(app, 'fix', overStdio())
    const { fullKey } = await app.key()
    const client = await connect(`${app.origin}/mcp`, fullKey, { mode })
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('fix__echo')
    const result = await client.callTool({ name: 'fix__echo', arguments: { text: 'hello' } })
    expect(JSON.stringify(result.content)).toContain('hello')
  })
})
