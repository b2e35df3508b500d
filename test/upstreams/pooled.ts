import { onTestFinished } from 'vitest'
import type { Mcp } from '../../src/core/mcps/mcp.ts'
import { createLog } from '../../src/log.ts'
import { CallFailed } from '../../src/upstreams/connection.ts'
import type { Party } from '../../src/upstreams/lease.ts'
import { upstreamPool } from '../../src/upstreams/pool.ts'
import type { OpenWire, WireEvents } from '../../src/upstreams/wire.ts'

export type Asked = { method: string; params?: Record<string, unknown>; id?: number }

/** One connection that the pool has opened, seen from the server's side. */
export type Line = {
  asked: Asked[]
  closed: boolean
  say(message: object): void
  /** The server goes away by itself. */
  die(): void
}

export type Manner = {
  era?: 'modern' | 'legacy'
  /** Methods that it never answers. */
  silent?: string[]
  /** What it says for each message that it gets, before it answers. */
  says?(asked: Asked, line: Line): void
  result?(method: string): object | undefined
  /** Cannot be started at all. */
  down?: boolean
}

/** A pool over servers that exist in this process only, and a clock that only the test moves. */
export function pooled(manner: Manner = {}) {
  const clock = { now: new Date('2026-06-01T12:00:00Z') }
  const lines: Line[] = []
  const log = createLog({ level: 'error', write: () => {}, now: () => clock.now })

  const open: OpenWire = async (events) => {
    if (manner.down)
      throw new CallFailed({ code: 'upstream_unavailable', stage: 'start', message: 'It is down.', unsent: true })
    const line = lineOver(events)
    lines.push(line)
    return {
      send(text) {
        const message = JSON.parse(text) as Asked
        line.asked.push(message)
        manner.says?.(message, line)
        if (message.id === undefined || manner.silent?.includes(message.method)) return
        queueMicrotask(() => line.say({ jsonrpc: '2.0', id: message.id, ...answerTo(message, manner) }))
      },
      async close() {
        if (!line.closed) line.die()
      },
    }
  }
  const pool = upstreamPool({
    openers: { session: () => open, stateless: () => null, old: () => null },
    unsealed: (target) => target,
    now: () => clock.now,
    log,
    version: '0',
  })
  onTestFinished(pool.close)
  return {
    pool,
    lines,
    manner,
    living: () => lines.filter(({ closed }) => !closed).length,
    advance(ms: number) {
      clock.now = new Date(clock.now.getTime() + ms)
    },
  }
}

function lineOver(events: WireEvents): Line {
  const line: Line = {
    asked: [],
    closed: false,
    say: (message) => void (line.closed || events.message(JSON.stringify(message), null)),
    die() {
      line.closed = true
      events.closed({ code: 'upstream_unavailable', stage: 'session', message: 'It ended.', unsent: false })
    },
  }
  return line
}

function answerTo({ method, params }: Asked, { era = 'legacy', result }: Manner): object {
  const own = result?.(method)
  if (own) return { result: own }
  if (era === 'legacy' && method === 'server/discover') return { error: { code: -32601, message: 'unknown' } }
  if (era === 'modern' && method === 'server/discover')
    return { result: { supportedVersions: ['2026-07-28'], capabilities: {} } }
  if (era === 'modern' && method === 'initialize') return { error: { code: -32601, message: 'unknown' } }
  if (method === 'initialize')
    return { result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fake', version: '1' } } }
  return { result: { method, params } }
}

export function anMcp(more: Partial<Mcp> = {}): Mcp {
  const target = { kind: 'stdio' as const, command: 'fake', args: [], env: {}, cwd: null }
  return {
    id: 'mcp_1',
    workspaceId: 'wsp_1',
    slug: 'fake',
    name: 'fake',
    transport: 'stdio',
    targets: { live: target, test: null },
    isolation: 'shared',
    timeoutSeconds: 60,
    createdAt: new Date(0),
    revision: 1,
    ...more,
  }
}

export const program = (keyId = 'key_1'): Party => ({ era: 'modern', keyId, session: null })

/** An older client; one that can be asked back has a connection of its own. */
export function older(
  id: string,
  { keyId = 'key_1', capabilities = { roots: {} } as object, over = false, makesRoom = (): boolean => false } = {},
): Party {
  const introduction = {
    protocolVersion: '2025-11-25',
    capabilities: capabilities as Record<string, unknown>,
    clientInfo: { name: 'older', version: '1' },
  }
  return { era: 'legacy', keyId, session: { id, introduction, isOver: () => over, makesRoom, unasked: () => {} } }
}
