import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkWithin, type Reach } from '../../../src/core/keys/bounds.ts'
import type { McpAccess } from '../../../src/core/keys/key.ts'
import { allows } from '../../../src/core/policy.ts'
import { later } from '../../support/store.ts'

const own: Reach = {
  environment: 'live',
  type: 'restricted',
  scopes: ['mcp:docs:*', 'mcp:search', 'keys:write'],
  mcpAccess: {
    mode: 'selected',
    mcps: [
      { slug: 'docs', tools: null },
      { slug: 'wiki', tools: ['search', 'get'] },
    ],
  },
  ipAllow: ['10.0.0.0/8'],
  expiresAt: later(1000),
  rateLimitPerMinute: 100,
  quotaPerDay: 50,
  allowInUrl: false,
}
const free: Reach = {
  ...own,
  type: 'unrestricted',
  scopes: ['mcp:*', 'keys:write'],
  mcpAccess: { mode: 'all' },
  ipAllow: [],
  expiresAt: null,
  quotaPerDay: null,
  allowInUrl: true,
}

const selected = (...mcps: [string, string[] | null][]): McpAccess => ({
  mode: 'selected',
  mcps: mcps.map(([slug, tools]) => ({ slug, tools })),
})

function beyond(wanted: Partial<Reach>, by: Reach = own): string | null {
  try {
    checkWithin(by, { ...by, ...wanted })
    return null
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden' })
    return (error as Error).message
      .replace('A key cannot give or change what it does not have itself: ', '')
      .replace(/\.$/, '')
  }
}

/** Each bound: what lies within, and what goes beyond, with the word for it. */
const TABLE: Record<keyof Reach, { within: Partial<Reach>[]; beyond: [Partial<Reach>, string][] }> = {
  environment: { within: [{ environment: 'live' }], beyond: [[{ environment: 'test' }, 'another environment']] },
  type: { within: [{ type: 'restricted' }], beyond: [[{ type: 'unrestricted' }, 'unrestricted use']] },
  scopes: {
    within: [
      { scopes: ['mcp:docs:search'] },
      { scopes: ['mcp:wiki:search', 'keys:write'] },
      { scopes: ['mcp:search'] },
    ],
    beyond: [
      [{ scopes: ['mcp:*'] }, 'the scope mcp:*'],
      [{ scopes: ['mcp:docs:*', 'mcp:wiki:*'] }, 'the scope mcp:wiki:*'],
      [{ scopes: ['mcp:get'] }, 'the scope mcp:get'],
      [{ scopes: ['keys:read'] }, 'the scope keys:read'],
      [{ scopes: ['repo:read'] }, 'the scope repo:read'],
    ],
  },
  mcpAccess: {
    within: [
      { mcpAccess: selected() },
      { mcpAccess: selected(['docs', null]) },
      { mcpAccess: selected(['docs', ['anything']], ['wiki', ['get']]) },
    ],
    beyond: [
      [{ mcpAccess: { mode: 'all' } }, 'MCP access'],
      [{ mcpAccess: selected(['other', ['search']]) }, 'MCP access'],
      [{ mcpAccess: selected(['wiki', null]) }, 'MCP access'],
      [{ mcpAccess: selected(['wiki', ['search', 'delete']]) }, 'MCP access'],
    ],
  },
  ipAllow: {
    within: [{ ipAllow: ['10.1.0.0/16', '10.2.3.4'] }],
    beyond: [
      [{ ipAllow: [] }, 'addresses'],
      [{ ipAllow: ['10.1.0.0/16', '11.0.0.1'] }, 'addresses'],
      [{ ipAllow: ['0.0.0.0/0'] }, 'addresses'],
      [{ ipAllow: ['::1'] }, 'addresses'],
    ],
  },
  expiresAt: {
    within: [{ expiresAt: later(999) }, { expiresAt: later(1000) }],
    beyond: [
      [{ expiresAt: null }, 'a longer life'],
      [{ expiresAt: later(1001) }, 'a longer life'],
    ],
  },
  rateLimitPerMinute: {
    within: [{ rateLimitPerMinute: 1 }],
    beyond: [[{ rateLimitPerMinute: 101 }, 'a higher rate limit']],
  },
  quotaPerDay: {
    within: [{ quotaPerDay: 1 }],
    beyond: [
      [{ quotaPerDay: 51 }, 'a higher quota'],
      [{ quotaPerDay: null }, 'a higher quota'],
    ],
  },
  allowInUrl: { within: [{ allowInUrl: false }], beyond: [[{ allowInUrl: true }, 'use in URLs']] },
}

describe.each(Object.keys(TABLE) as (keyof Reach)[])('%s', (name) => {
  it.each(TABLE[name].within)('may be %j', (wanted) => {
    expect(beyond(wanted)).toBeNull()
  })
  it.each(TABLE[name].beyond)('may not be %j', (wanted, word) => {
    expect(beyond(wanted)).toBe(word)
  })
})

it('bounds nothing that the key itself has unbounded, but its environment and management scopes', () => {
  for (const { within, beyond: further } of Object.values(TABLE))
    for (const wanted of [...within, ...further.map(([one]) => one)]) {
      const word = beyond(wanted, free)
      const still =
        wanted.environment === 'test' || wanted.scopes?.includes('keys:read') || (wanted.rateLimitPerMinute ?? 0) > 100
      expect([wanted, word !== null]).toEqual([wanted, Boolean(still)])
    }
})

it('names every bound once that is passed together with others', () => {
  expect(beyond({ environment: 'test', allowInUrl: true })).toBe('another environment')
})

it('never lets a child call what its parent cannot', () => {
  const slug = fc.constantFrom('docs', 'wiki')
  const tool = fc.constantFrom('search', 'get')
  const scope = fc.oneof(
    fc.constant('mcp:*'),
    tool.map((one) => `mcp:${one}`),
    slug.map((one) => `mcp:${one}:*`),
    fc.tuple(slug, tool).map(([a, b]) => `mcp:${a}:${b}`),
  )
  const access: fc.Arbitrary<McpAccess> = fc.oneof(
    fc.constant({ mode: 'all' as const }),
    fc
      .uniqueArray(fc.record({ slug, tools: fc.option(fc.uniqueArray(tool, { minLength: 1 })) }), {
        selector: (one) => one.slug,
      })
      .map((mcps) => ({ mode: 'selected' as const, mcps })),
  )
  const reach = fc.record({
    type: fc.constantFrom('restricted' as const, 'unrestricted' as const),
    scopes: fc.array(scope, { minLength: 1, maxLength: 3 }),
    mcpAccess: access,
  })
  let inside = 0
  fc.assert(
    fc.property(reach, reach, slug, fc.option(tool), (parent, child, slug, tool) => {
      const [mine, theirs] = [
        { ...free, ...parent },
        { ...free, ...child },
      ]
      try {
        checkWithin(mine, theirs)
      } catch {
        return
      }
      inside++
      if (allows(theirs, { slug, tool })) expect(allows(mine, { slug, tool })).toBe(true)
    }),
    { numRuns: 5000 },
  )
  expect(inside).toBeGreaterThan(200)
})
