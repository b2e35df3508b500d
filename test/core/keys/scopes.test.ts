import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkScopes,
  covers,
  hasScope,
  MANAGEMENT_SCOPES,
  type ManagementScope,
  opensTool,
} from '../../../src/core/keys/scopes.ts'
import { type allows, reaches, refusalFor } from '../../../src/core/policy.ts'

const MANAGEMENT = Object.keys(MANAGEMENT_SCOPES) as ManagementScope[]

describe('a scope', () => {
  it('is one of the contract', () => {
    expect(MANAGEMENT.sort()).toEqual(
      [
        'audit:read',
        'keys:read',
        'keys:write',
        'mcps:read',
        'mcps:write',
        'repo:read',
        'repo:write',
        'usage:read',
        'webhooks:write',
      ].sort(),
    )
    const good = [
      ...MANAGEMENT,
      'mcp:*',
      'mcp:search',
      'mcp:docs:*',
      'mcp:docs:search',
      'mcp:a-1:read_file',
      'mcp:do.it-now/x',
    ]
    expect(checkScopes(good)).toEqual(good)
    expect(checkScopes(['mcp:*', 'mcp:*'])).toEqual(['mcp:*'])
  })

  it.each([
    ...['', '*', 'mcp', 'mcp:', ':', 'mcp:**', 'mcp:sea*', 'mcp:*:*', 'mcp:*:search', 'mcp:docs:', 'mcp::search'],
    ...[
      'mcp:docs:sea*',
      'mcp:Docs:*',
      'mcp:docs:a:b',
      'mcp:docs:*:*',
      'MCP:*',
      ' mcp:*',
      'mcp:* ',
      'mcp:a b',
      'keys:*',
    ],
    ...[
      'keys:delete',
      'keys',
      'repo:*',
      'admin',
      'toString',
      '__proto__',
      'constructor',
      'mcp:docs:-x',
      `mcp:${'a'.repeat(33)}:*`,
    ],
  ])('is not %j', (scope) => {
    expect(() => checkScopes(['mcp:*', scope])).toThrow(`"${scope}" is no scope.`)
  })

  it('is at least one', () => {
    expect(() => checkScopes([])).toThrow('Name at least one scope, or leave scopes out for mcp:*.')
  })

  it('of management is named one by one; unrestricted adds repo:* alone', () => {
    for (const scope of MANAGEMENT) {
      expect(hasScope({ type: 'restricted', scopes: [scope] }, scope)).toBe(true)
      expect(
        hasScope({ type: 'restricted', scopes: ['mcp:*', ...MANAGEMENT.filter((one) => one !== scope)] }, scope),
      ).toBe(false)
      expect([scope, hasScope({ type: 'unrestricted', scopes: ['mcp:*'] }, scope)]).toEqual([
        scope,
        scope.startsWith('repo:'),
      ])
    }
  })
})

describe('scopes open', () => {
  const WISHES = [
    ['docs', 'search'],
    ['docs', 'get'],
    ['wiki', 'search'],
    ['docs', null],
    ['wiki', null],
  ] as const

  it.each([
    ['mcp:*', [true, true, true, true, true]],
    ['mcp:search', [true, false, true, false, false]],
    ['mcp:docs:*', [true, true, false, true, false]],
    ['mcp:docs:search', [true, false, false, false, false]],
    ['mcp:docs', [false, false, false, false, false]], // a tool of that name, not the MCP
    ['keys:write', [false, false, false, false, false]],
  ] as const)('%s', (scope, expected) => {
    expect(WISHES.map(([slug, tool]) => opensTool({ type: 'restricted', scopes: [scope] }, slug, tool))).toEqual([
      ...expected,
    ])
    expect(WISHES.map(([slug, tool]) => opensTool({ type: 'unrestricted', scopes: [scope] }, slug, tool))).toEqual(
      WISHES.map(() => true),
    )
  })

  it('nothing to a tool that calls itself like a scope', () => {
    const key = { type: 'restricted', scopes: ['mcp:docs:*', 'mcp:wiki:search'] } as const
    for (const tool of ['docs:*', 'wiki:search', 'docs:search', '*'])
      expect([tool, opensTool({ ...key, scopes: [...key.scopes] }, 'evil', tool)]).toEqual([tool, false])
  })

  it.each([
    ['mcp:*', ['mcp:*', 'mcp:search', 'mcp:docs:*', 'mcp:docs:search']],
    ['mcp:search', ['mcp:search', 'mcp:docs:search', 'mcp:wiki:search']],
    ['mcp:docs:*', ['mcp:docs:*', 'mcp:docs:search', 'mcp:docs:get']],
    ['mcp:docs:search', ['mcp:docs:search']],
    ['keys:read', ['keys:read']],
    ['repo:write', ['repo:write']],
  ])('what %s covers: %j', (granted, covered) => {
    const all = [
      'mcp:*',
      'mcp:search',
      'mcp:get',
      'mcp:docs',
      'mcp:docs:*',
      'mcp:wiki:*',
      'mcp:docs:search',
      'mcp:docs:get',
      'mcp:wiki:search',
      ...MANAGEMENT,
    ]
    const expected = new Set([
      ...covered,
      ...(granted === 'mcp:*' ? all.filter((scope) => scope.startsWith('mcp:')) : []),
    ])
    expect(all.filter((wanted) => covers([granted], wanted))).toEqual(all.filter((wanted) => expected.has(wanted)))
  })

  it('never more than the scopes that cover them', () => {
    const name = fc.constantFrom('docs', 'wiki', 'search', 'get')
    const scope = fc.oneof(
      fc.constant('mcp:*'),
      name.map((tool) => `mcp:${tool}`),
      name.map((slug) => `mcp:${slug}:*`),
      fc.tuple(name, name).map(([slug, tool]) => `mcp:${slug}:${tool}`),
    )
    fc.assert(
      fc.property(fc.array(scope, { minLength: 1 }), scope, name, fc.option(name), (granted, wanted, slug, tool) => {
        if (!covers(granted, wanted)) return
        const opened = (scopes: string[]) => opensTool({ type: 'restricted', scopes }, slug, tool)
        if (opened([wanted])) expect(opened(granted)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('the policy', () => {
  const selected = (tools: string[] | null) => ({ mode: 'selected' as const, mcps: [{ slug: 'docs', tools }] })
  const key = (scopes: string[], mcpAccess: Parameters<typeof allows>[0]['mcpAccess'] = { mode: 'all' }) => ({
    type: 'restricted' as const,
    scopes,
    mcpAccess,
  })

  it('judges scope first, then MCP, then tool', () => {
    const code = (reach: Parameters<typeof allows>[0], slug: string, tool: string | null) =>
      refusalFor(reach, { slug, tool })?.code ?? 'ok'
    expect(code(key(['mcp:get'], selected([])), 'wiki', 'search')).toBe('insufficient_scope')
    expect(code(key(['mcp:*'], selected(['get'])), 'wiki', 'search')).toBe('mcp_not_permitted')
    expect(code(key(['mcp:*'], selected(['get'])), 'docs', 'search')).toBe('tool_not_permitted')
    expect(code(key(['mcp:*'], selected(['get'])), 'docs', null)).toBe('tool_not_permitted')
    expect(code(key(['mcp:*'], selected(['get'])), 'docs', 'get')).toBe('ok')
    expect(code(key(['mcp:*'], selected(null)), 'docs', null)).toBe('ok')
    expect(code({ ...key(['keys:read']), type: 'unrestricted' }, 'any', 'thing')).toBe('ok')
    expect(code({ ...key(['keys:read'], selected(null)), type: 'unrestricted' }, 'wiki', 'x')).toBe('mcp_not_permitted')
  })

  it('lets an MCP exist only for keys that may use something of it', () => {
    expect(reaches(key(['mcp:*']), 'docs')).toBe(true)
    expect(reaches(key(['mcp:search']), 'docs')).toBe(true)
    expect(reaches(key(['mcp:docs:get']), 'docs')).toBe(true)
    expect(reaches(key(['mcp:wiki:*']), 'docs')).toBe(false)
    expect(reaches(key(['keys:read']), 'docs')).toBe(false)
    expect(reaches(key(['mcp:*'], selected(null)), 'wiki')).toBe(false)
  })

  it('says the same of what is forbidden and what does not exist', () => {
    const one = refusalFor(key(['mcp:*'], selected(null)), { slug: 'wiki', tool: 'search' })
    const other = refusalFor(key(['mcp:*'], selected(null)), { slug: 'no-such', tool: 'search' })
    expect([one?.code, one?.message]).toEqual([other?.code, other?.message])
  })
})
