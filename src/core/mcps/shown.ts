import { withoutValues } from './edit.ts'
import type { Mcp } from './mcp.ts'

/** An MCP as every door shows it: what its headers and variables are called, never what they hold. */
export function shownMcp(mcp: Mcp): Record<string, unknown> {
  return {
    id: mcp.id,
    slug: mcp.slug,
    name: mcp.name,
    transport: mcp.transport,
    live: withoutValues(mcp.targets.live),
    test: withoutValues(mcp.targets.test),
    isolation: mcp.isolation,
    timeout_seconds: mcp.timeoutSeconds,
    created_at: mcp.createdAt.toISOString(),
  }
}
