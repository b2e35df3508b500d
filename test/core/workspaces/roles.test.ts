import { describe, expect, it } from 'vitest'
import { type Caller, demand, mayDo, SCOPE_FOR } from '../../../src/core/caller.ts'
import { MANAGEMENT_SCOPES } from '../../../src/core/keys/scopes.ts'
import { type Power, ROLES, roleHas } from '../../../src/core/workspaces/roles.ts'
import { operator, robot } from '../../support/start.ts'
import { aKey, aUser, aWorkspace } from '../../support/store.ts'

/** The contract's table: who may, from the least role on. */
const TABLE: Record<Power, string> = {
  'workspace.see': '● ● ● ●',
  'keys.see': '● ● ● ●',
  'mcps.see': '● ● ● ●',
  'usage.see': '● ● ● ●',
  'members.see': '● ● ● ●',
  'keys.issue': '- ● ● ●',
  'keys.all': '- - ● ●',
  'mcps.change': '- - ● ●',
  'repos.see': '● ● ● ●',
  'repos.change': '- - ● ●',
  'webhooks.change': '- - ● ●',
  'audit.read': '- - ● ●',
  'members.change': '- - ● ●',
  'workspace.rename': '- - ● ●',
  'owners.change': '- - - ●',
  'workspace.delete': '- - - ●',
}
const POWERS = Object.keys(TABLE) as Power[]

const person = (role: (typeof ROLES)[number]): Caller => ({ kind: 'person', actor: robot, user: aUser(), role })
const program = (
  role: (typeof ROLES)[number] | null,
  scopes: string[],
  type: 'restricted' | 'unrestricted' = 'restricted',
): Caller => ({
  kind: 'program',
  actor: robot,
  key: aKey(aWorkspace(), { scopes, type }).key,
  role,
})
const ALL_SCOPES = ['mcp:*', ...Object.keys(MANAGEMENT_SCOPES)]

it.each(POWERS)('%s is had by the roles of the contract', (power) => {
  expect(ROLES.map((role) => (roleHas(role, power) ? '●' : '-')).join(' ')).toBe(TABLE[power])
  expect(roleHas(null, power)).toBe(false)
  for (const role of ROLES) expect(mayDo(person(role), power)).toBe(roleHas(role, power))
  expect(mayDo(operator, power)).toBe(true)
})

it('knows no other power', () => {
  expect(Object.keys(SCOPE_FOR).sort()).toEqual([...POWERS].sort())
  expect(roleHas('owner', 'everything' as Power)).toBe(false)
})

describe('a program', () => {
  it.each(POWERS)('has %s by scope and by its owner’s role, never by one alone', (power) => {
    const scope = SCOPE_FOR[power]
    for (const role of ROLES) {
      const has = scope !== null && roleHas(role, power)
      expect(mayDo(program(role, ALL_SCOPES), power)).toBe(has)
      expect(mayDo(program(role, scope === null ? ALL_SCOPES : [scope]), power)).toBe(has)
      expect(
        mayDo(
          program(
            role,
            ALL_SCOPES.filter((one) => one !== scope),
          ),
          power,
        ),
      ).toBe(false)
    }
    expect(mayDo(program(null, ALL_SCOPES), power)).toBe(false)
  })

  it('says what it lacks: the scope, the role, or that no key may', () => {
    const why = (caller: Caller, power: Power) => {
      try {
        demand(caller, power)
      } catch (error) {
        return error
      }
    }
    expect(why(program('owner', ['mcp:*']), 'audit.read')).toMatchObject({
      code: 'insufficient_scope',
      message: 'This key lacks the scope audit:read.',
    })
    expect(why(program('viewer', ALL_SCOPES), 'keys.issue')).toMatchObject({ code: 'forbidden' })
    expect(why(program('owner', ALL_SCOPES), 'members.change')).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('Sign in to the pages'),
    })
    expect(why(person('member'), 'audit.read')).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('(member)'),
    })
  })

  it('is given no management by being unrestricted', () => {
    for (const power of POWERS)
      expect([power, mayDo(program('owner', ['mcp:*'], 'unrestricted'), power)]).toEqual([
        power,
        power.startsWith('repos.'),
      ])
  })
})
