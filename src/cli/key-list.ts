import { type KeyState, stateOf } from '../core/keys/key.ts'
import { shown } from '../core/keys/shown.ts'
import { KEY_SORTS } from '../core/store.ts'
import type { Command } from './command.ts'
import { everyKey } from './every-key.ts'
import { oneOf } from './input.ts'
import { OPTIONS } from './key-act.ts'
import { ENVIRONMENTS, TYPES } from './key-options.ts'
import { inWorkspace } from './open.ts'
import { printJson, printTable } from './print.ts'

const STATES: KeyState[] = ['active', 'scheduled', 'expired', 'disabled', 'revoked']

export const listCommand: Command = {
  name: 'keys list',
  about: 'List the keys, newest first unless told otherwise.',
  options: {
    env: { value: 'ENV', about: 'Only live or test keys.' },
    status: { value: 'STATUS', about: `Only those that are ${STATES.join(', ')}.` },
    type: { value: 'TYPE', about: 'Only restricted or unrestricted keys.' },
    mcp: { value: 'SLUG', about: 'Only those that reach this MCP.' },
    search: { value: 'TEXT', about: 'Only those with this in name, hint or description.' },
    sort: { value: 'ORDER', about: `By ${KEY_SORTS.join(', ')} (created).` },
    ...OPTIONS,
  },
  async run(input) {
    const environment = oneOf(input, 'env', ENVIRONMENTS)
    const state = oneOf(input, 'status', STATES)
    const type = oneOf(input, 'type', TYPES)
    const mcp = input.text('mcp')
    const search = input.text('search')
    const sort = oneOf(input, 'sort', KEY_SORTS)
    await inWorkspace(input, async (ctx, caller, { id: workspaceId }) => {
      const keys = await Array.fromAsync(
        everyKey(ctx, caller, { workspaceId, environment, state, type, mcp, search, sort }),
      )
      const now = ctx.now()
      if (input.on('json'))
        return printJson(
          input,
          keys.map((key) => shown(key, now)),
        )
      const narrowed = environment ?? state ?? type ?? mcp ?? search
      printTable(
        input,
        ['ID', 'NAME', 'ENV', 'STATUS', 'HINT', 'EXPIRES', 'LAST USED'],
        keys.map((key) => [
          key.id,
          key.name,
          key.environment,
          stateOf(key, now),
          key.hint,
          key.expiresAt,
          key.lastUsedAt,
        ]),
        narrowed ? 'No key fits.' : 'There is no key yet. Issue one: claviger keys create --name NAME',
      )
    })
  },
}
