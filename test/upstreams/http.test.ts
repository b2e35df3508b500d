import { describe, expect, it, onTestFinished } from 'vitest'
import { addressGuard } from '../../src/upstreams/guard.ts'
import { httpWire, statelessWire } from '../../src/upstreams/http.ts'
import { startFixture } from '../fixtures/upstream/http.ts'
import { listen } from './listening.ts'

const options = { environment: {}, guard: addressGuard({ allowPrivate: true }) }
const at = (url: string, headers: Record<string, string> = {}) => ({ kind: 'http' as const, url, headers })

async function fixture(more: Parameters<typeof startFixture>[0] = {}) {
  const upstream = await startFixture(more)
  onTestFinished(() => upstream.close())
  return upstream
}

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

describe('a session with a real server', () => {
  it('shakes hands, lists, calls and hears what is said meanwhile', async () => {
    const { url } = await fixture()
    const { ask, shakeHands, heard } = await listen(httpWire(at(url), options))
    await shakeHands()
    expect(((await ask(1, 'tools/list')).result!.tools as unknown[]).length).toBeGreaterThan(5)
    await ask(2, 'tools/call', { name: 'test_tool_with_progress', arguments: {}, _meta: { progressToken: 2 } })
    const progress = heard.filter((event) => event.kind === 'message' && event.message.method === 'notifications/progress')
    expect(progress).toHaveLength(3)
    expect(progress.every((event) => event.kind === 'message' && event.exchange === 2)).toBe(true)
  })

  it('resumes an answer whose stream the server ends early', async () => {
    const { url } = await fixture()
    const { ask, shakeHands, heard } = await listen(httpWire(at(url), options))
    await shakeHands()
    expect(await ask(1, 'tools/call', { name: 'test_reconnection', arguments: {} })).toHaveProperty('result.content')
    expect(heard.filter(({ kind }) => kind === 'failed')).toEqual([])
  })

  it('answers a modern request without a session', async () => {
    const { url } = await fixture()
    const { ask } = await listen(statelessWire(at(url), options))
    const hello = await ask(1, 'server/discover', { _meta: envelope }, { 'Mcp-Method': 'server/discover' })
    expect(hello.result!.supportedVersions).toContain('2026-07-28')
  })
})
