import { impactOf, shownImpact } from '../core/keys/impact.ts'
import type { Command } from './command.ts'
import { lastUse, NAMING, OPTIONS, withKey } from './key-act.ts'
import { printFields, printJson } from './print.ts'

export const impactCommand: Command = {
  name: 'keys impact',
  args: 'KEY',
  about: 'Show who would notice if a key stopped: its callers of the last 24 hours.',
  options: OPTIONS,
  notes: [NAMING],
  run: (input) =>
    withKey(input, async (ctx, caller, key) => {
      const impact = await impactOf(ctx, caller, key.workspaceId, key.id)
      if (input.on('json')) return printJson(input, shownImpact(impact))
      printFields(input, [
        ['Calls in 24 hours', impact.calls],
        ...impact.clients.map(({ name, calls }) => ['Client', times(name, calls)] as [string, string]),
        ...impact.addresses.map(({ ip, calls }) => ['Address', times(ip, calls)] as [string, string]),
        ['Last used', lastUse(key)],
      ])
    }),
}

function times(what: string, calls: number): string {
  return `${what} (${calls} ${calls === 1 ? 'call' : 'calls'})`
}
