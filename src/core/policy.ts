import type { Key, McpGrant } from './keys/key.ts'
import { opensTool } from './keys/scopes.ts'
import { Refusal } from './refusal.ts'

/** What is asked for: one tool, or (`null`) an MCP's prompts and resources. */
export type Wish = { slug: string; tool: string | null }
export type Reach = Pick<Key, 'type' | 'scopes' | 'mcpAccess'>

/** Scope first, then MCP, then tool; the same answer for what is forbidden and for what does not exist. */
export function refusalFor(key: Reach, { slug, tool }: Wish): Refusal | null {
  if (!opensTool(key, slug, tool)) return new Refusal('insufficient_scope', scopeNeeded(slug, tool))
  const grant = grantOf(key, slug)
  if (!grant) return mcpNotPermitted()
  if (grant.tools !== null && (tool === null || !grant.tools.includes(tool))) return toolNotPermitted()
  return null
}

export function allows(key: Reach, wish: Wish): boolean {
  return refusalFor(key, wish) === null
}

/** Whether anything of this MCP may be used: only then does it exist for the key. */
export function reaches(key: Reach, slug: string): boolean {
  if (!grantOf(key, slug)) return false
  if (key.type === 'unrestricted') return true
  return key.scopes.some((scope) => {
    const [family, first, tool] = scope.split(':')
    return family === 'mcp' && (tool === undefined || first === slug)
  })
}

/** Whether the key's MCP access names this MCP, whatever its scopes are for. */
export function grants(key: Pick<Key, 'mcpAccess'>, slug: string): boolean {
  return grantOf(key, slug) !== undefined
}

export function mcpNotPermitted(): Refusal {
  return new Refusal('mcp_not_permitted', 'There is no such MCP, or not for this key.')
}

export function toolNotPermitted(): Refusal {
  return new Refusal('tool_not_permitted', 'There is no such tool, or not for this key.')
}

function grantOf({ mcpAccess }: Pick<Key, 'mcpAccess'>, slug: string): McpGrant | undefined {
  return mcpAccess.mode === 'all' ? { slug, tools: null } : mcpAccess.mcps.find((grant) => grant.slug === slug)
}

function scopeNeeded(slug: string, tool: string | null): string {
  const one = tool === null ? '' : `, mcp:${slug}:${tool}`
  return `This key lacks the scope for this: mcp:*, mcp:${slug}:*${one}.`
}
