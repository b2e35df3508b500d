import type { Environment } from '../keys/key.ts'
import { withoutValues } from './edit.ts'
import type { Isolation, Mcp, Transport } from './mcp.ts'

export type ShownMcp = {
  id: string
  slug: string
  name: string
  transport: Transport
  live: object | null
  test: object | null
  isolation: Isolation
  timeout_seconds: number
  created_at: string
}

/** An MCP as every door shows it: what its headers and variables are called, never what they hold. `to`: a key's environment, which is all it sees. */
export function shownMcp(mcp: Mcp, to: Environment | null = null): ShownMcp {
  return {
    id: mcp.id,
    slug: mcp.slug,
    name: mcp.name,
    transport: mcp.transport,
    live: to === 'test' ? null : withoutValues(mcp.targets.live),
    test: to === 'live' ? null : withoutValues(mcp.targets.test),
    isolation: mcp.isolation,
    timeout_seconds: mcp.timeoutSeconds,
    created_at: mcp.createdAt.toISOString(),
  }
}
