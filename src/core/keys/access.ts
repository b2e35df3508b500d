import { invalid } from '../refusal.ts'
import { SLUG } from '../slug.ts'
import type { McpAccess, McpGrant } from './key.ts'

const LONGEST_TOOL = 256

/** Names each MCP once. Refuses what could never fit, so that a typing error never becomes a silent lack of power. */
export function checkAccess(access: McpAccess, field = 'mcp_access'): McpAccess {
  if (access.mode === 'all') return { mode: 'all' }
  const grants = new Map<string, McpGrant>()
  for (const { slug, tools } of access.mcps) {
    if (!SLUG.test(slug)) throw invalid(field, `"${slug}" is no slug of an MCP: 1 to 32 of a-z, 0-9 and -.`)
    if (tools?.length === 0) throw invalid(field, `Name the tools of ${slug}, or leave them out for all.`)
    if (tools?.some((tool) => tool.length < 1 || tool.length > LONGEST_TOOL))
      throw invalid(field, `A tool of ${slug} has a name of 1 to ${LONGEST_TOOL} characters.`)
    const held = grants.get(slug)
    const both = held ? union(held.tools, tools) : tools && [...new Set(tools)]
    grants.set(slug, { slug, tools: both })
  }
  return { mode: 'selected', mcps: [...grants.values()] }
}

/** Null is all of them. */
function union(some: string[] | null, others: string[] | null): string[] | null {
  return some && others && [...new Set([...some, ...others])]
}
