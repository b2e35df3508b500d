import type { Key, McpAccess, McpGrant } from './key.ts'
import { isMcpScope, MANAGEMENT_SCOPES, type ManagementScope } from './scopes.ts'

type Described = Pick<Key, 'type' | 'scopes' | 'mcpAccess' | 'environment'>

/** A key's permissions as sentences: what it may do, and what one might think it may. */
export function inWords(key: Described): { may: string[]; mayNot: string[] } {
  const scopes = key.type === 'unrestricted' ? ['mcp:*'] : key.scopes.filter(isMcpScope)
  const calls = scopes.flatMap((scope) => callsOf(scope, key.mcpAccess))
  const management = key.scopes.filter((scope): scope is ManagementScope => scope in MANAGEMENT_SCOPES)
  const repos: ManagementScope[] = key.type === 'unrestricted' ? ['repo:read', 'repo:write'] : []
  const mayNot = [key.environment === 'test' ? 'Reach anything but test targets and test data.' : 'Reach test targets.']
  if (calls.length === 0) mayNot.unshift('Call any tool.')
  else if (!scopes.includes('mcp:*') || key.mcpAccess.mode === 'selected') mayNot.unshift('Call anything else.')
  return {
    may: [...new Set([...calls, ...[...repos, ...management].map((scope) => MANAGEMENT_SCOPES[scope])])],
    mayNot,
  }
}

function callsOf(scope: string, access: McpAccess): string[] {
  const [, first, ...rest] = scope.split(':')
  const tool = rest.join(':')
  if (tool === '') return first === '*' ? everythingOf(access) : toolAnywhere(first!, access)
  const grant = access.mode === 'all' ? { slug: first!, tools: null } : access.mcps.find(({ slug }) => slug === first)
  if (!grant) return []
  if (tool === '*') return [everythingIn(grant)]
  return grant.tools === null || grant.tools.includes(tool) ? [`Call ${tool} of ${grant.slug}.`] : []
}

function everythingOf(access: McpAccess): string[] {
  return access.mode === 'all'
    ? ['Use every tool, prompt and resource of every MCP, also of those added later.']
    : access.mcps.map(everythingIn)
}

function everythingIn({ slug, tools }: McpGrant): string {
  return tools === null ? `Use every tool, prompt and resource of ${slug}.` : `Call ${listed(tools)} of ${slug}.`
}

function toolAnywhere(tool: string, access: McpAccess): string[] {
  if (access.mode === 'all') return [`Call ${tool} of every MCP that has it.`]
  const slugs = access.mcps.filter(({ tools }) => tools === null || tools.includes(tool)).map(({ slug }) => slug)
  return slugs.length > 0 ? [`Call ${tool} of ${listed(slugs)}.`] : []
}

function listed(words: string[]): string {
  return words.length < 2 ? (words[0] ?? 'nothing') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
