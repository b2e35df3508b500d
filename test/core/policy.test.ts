import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { McpAccess } from '../../src/core/keys/key.ts'
import { allows, grants, type Reach, reaches, refusalFor } from '../../src/core/policy.ts'

const ALL = { mode: 'all' } satisfies McpAccess
const selected = (tools: string[] | null): McpAccess => ({ mode: 'selected', mcps: [{ slug: 'docs', tools }] })
const key = (scopes: string[], mcpAccess: McpAccess = ALL, type: Reach['type'] = 'restricted'): Reach => ({
  type,
  scopes,
  mcpAccess,
})

const ROWS: [about: string, of: Reach, slug: string, tool: string | null, code: string | null][] = [
  ['everything', key(['mcp:*']), 'docs', 'search', null],
  ['one MCP', key(['mcp:docs:*']), 'docs', 'search', null],
  ['another MCP', key(['mcp:wiki:*']), 'docs', 'search', 'insufficient_scope'],
  ['one tool of any MCP', key(['mcp:search']), 'docs', 'search', null],
  ['another tool of any MCP', key(['mcp:search']), 'docs', 'get_doc', 'insufficient_scope'],
  ['one tool of one MCP', key(['mcp:docs:search']), 'docs', 'search', null],
  ['that tool of another MCP', key(['mcp:docs:search']), 'wiki', 'search', 'insufficient_scope'],
  ['management alone', key(['keys:read']), 'docs', 'search', 'insufficient_scope'],
  ['prompts with everything', key(['mcp:*']), 'docs', null, null],
  ['prompts with one tool', key(['mcp:docs:search']), 'docs', null, 'insufficient_scope'],
  ['no access, scope first', key(['mcp:wiki:*'], selected(null)), 'notes', 'x', 'insufficient_scope'],
  ['no access', key(['mcp:*'], selected(null)), 'wiki', 'search', 'mcp_not_permitted'],
  ['some tools', key(['mcp:*'], selected(['search'])), 'docs', 'search', null],
  ['other tools', key(['mcp:*'], selected(['search'])), 'docs', 'get_doc', 'tool_not_permitted'],
  ['prompts with some tools', key(['mcp:*'], selected(['search'])), 'docs', null, 'tool_not_permitted'],
  ['unrestricted', key([], ALL, 'unrestricted'), 'docs', 'search', null],
  ['unrestricted, no access', key([], selected(null), 'unrestricted'), 'wiki', 'search', 'mcp_not_permitted'],
]

it.each(ROWS)('%s', (_about, of, slug, tool, code) => {
  expect(refusalFor(of, { slug, tool })?.code ?? null).toBe(code)
  expect(allows(of, { slug, tool })).toBe(code === null)
})

describe('an MCP', () => {
  it.each([
    ['is there for whom something of it is open', key(['mcp:docs:search']), true],
    ['is there for who may call a tool anywhere', key(['mcp:search']), true],
    ['is there for an unrestricted key', key(['keys:read'], ALL, 'unrestricted'), true],
    ['is not there for the scopes of another', key(['mcp:wiki:*']), false],
    ['is not there for management', key(['keys:read', 'repo:read']), false],
    ['is not there without access', key(['mcp:*'], { mode: 'selected', mcps: [] }), false],
  ])('%s', (_about, of, there) => expect(reaches(of, 'docs')).toBe(there))

  it('is granted by access alone, whatever the scopes', () => {
    expect([grants(key([], selected(null)), 'docs'), grants(key([], selected(null)), 'wiki')]).toEqual([true, false])
  })
})

/** A key without some of its scopes, or without its access, opens nothing that it did not open before. */
it('never opens more for a key that was narrowed', () => {
  const name = fc.constantFrom('docs', 'wiki', 'search', 'get_doc')
  const scope = fc.oneof(
    fc.constant('mcp:*'),
    name.map((tool) => `mcp:${tool}`),
    name.map((slug) => `mcp:${slug}:*`),
    fc.tuple(name, name).map(([slug, tool]) => `mcp:${slug}:${tool}`),
  )
  const tools = fc.option(fc.uniqueArray(name, { minLength: 1 }))
  const access: fc.Arbitrary<McpAccess> = fc.oneof(
    fc.constant(ALL),
    fc.tuple(name, tools).map(([slug, of]) => ({ mode: 'selected' as const, mcps: [{ slug, tools: of }] })),
  )
  const wish = fc.record({ slug: name, tool: fc.option(name) })
  fc.assert(
    fc.property(fc.uniqueArray(scope, { minLength: 1 }), access, wish, fc.nat(), (scopes, mcpAccess, wished, cut) => {
      const whole = key(scopes, mcpAccess)
      const fewerScopes = key(scopes.toSpliced(cut % scopes.length, 1), mcpAccess)
      const less = key(scopes, { mode: 'selected', mcps: [] })
      if (!allows(whole, wished)) expect(allows(fewerScopes, wished)).toBe(false)
      expect(allows(less, wished)).toBe(false)
      if (allows(whole, wished)) expect(reaches(whole, wished.slug)).toBe(true)
    }),
  )
})
