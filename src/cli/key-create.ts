import { issue } from '../core/keys/issuing.ts'
import { shown } from '../core/keys/shown.ts'
import type { Command } from './command.ts'
import { oneOf } from './input.ts'
import { called, OPTIONS } from './key-act.ts'
import { ENVIRONMENTS, KEY_OPTIONS, readWishes } from './key-options.ts'
import { inWorkspace } from './open.ts'
import { printJson, printLine, remark } from './print.ts'

export const createCommand: Command = {
  name: 'keys create',
  about: 'Issue a key. The full key is printed once and cannot be shown again.',
  options: {
    name: { value: 'NAME', needed: true, about: 'Who or what will use it, 1 to 100 characters.' },
    env: { value: 'ENV', about: 'live, or test: reaches test targets only (live).' },
    ...KEY_OPTIONS,
    ...OPTIONS,
  },
  notes: [
    '  claviger keys create --name laptop --expires 90d',
    '  claviger keys create --name ci --env test --mcp docs:search,get_doc --ip 10.0.0.0/8',
    '  KEY=$(claviger keys create --name script)',
  ],
  async run(input) {
    const wanted = {
      ...readWishes(input),
      name: input.text('name')!,
      environment: oneOf(input, 'env', ENVIRONMENTS),
    }
    await inWorkspace(input, async (ctx, caller, workspace) => {
      const { key, fullKey } = await issue(ctx, caller, workspace.id, wanted)
      const { id, ...rest } = shown(key, ctx.now())
      if (input.on('json')) return printJson(input, { id, key: fullKey.reveal(), ...rest })
      printLine(input, fullKey.reveal())
      const end = key.expiresAt ? `expires ${key.expiresAt.toISOString()}` : 'never expires'
      remark(input.world, `${called(key)} ${end}. Keep the key now: it will not be shown again.`)
    })
  },
}
