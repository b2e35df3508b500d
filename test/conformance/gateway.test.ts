import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addMcp } from '../../src/core/mcps/edit.ts'
import type { Target } from '../../src/core/mcps/mcp.ts'
import { startFixture } from '../fixtures/upstream/http.ts'
import { operator, start } from '../support/start.ts'
import { startHeaderProxy } from './header-proxy.ts'
import { runConformance, type Suite } from './run.ts'

const SUITES = [
  ['classic', 30],
  ['2025-11-25', 30],
  ['2026-07-28', 37],
] as const

const PROGRAM = join(import.meta.dirname, '../fixtures/upstream/main.ts')
const overStdio: Target = { kind: 'stdio', command: process.execPath, args: [PROGRAM, '--stdio'], env: {}, cwd: null }

/** Through `/mcp/{slug}` with everything on, the key added by a proxy: the suites can send no header. */
async function throughGateway(suite: Suite, live: Target) {
  const app = await start()
  await addMcp(app.ctx, operator, app.workspace.id, { slug: 'fix', live })
  const { fullKey } = await app.key()
  const proxy = startHeaderProxy({ target: `${app.origin}/mcp/fix`, headers: { authorization: `Bearer ${fullKey}` } })
  return runConformance({ suite, url: proxy.url }).finally(() => proxy.close())
}

describe('the gateway in front of a stdio server', () => {
  it.each(SUITES)('passes every scored scenario of %s', async (suite, count) => {
    const { failed, passed } = await throughGateway(suite, overStdio)
    expect(failed).toEqual([])
    expect(passed).toBe(count)
  })
})

describe('the gateway in front of an HTTP server', () => {
  it.each(SUITES)('passes every scored scenario of %s', async (suite, count) => {
    const fixture = await startFixture()
    const live: Target = { kind: 'http', url: fixture.url, headers: {} }
    const { failed, passed } = await throughGateway(suite, live).finally(fixture.close)
    expect(failed).toEqual([])
    expect(passed).toBe(count)
  })
})
