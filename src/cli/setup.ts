import { newSetupLink } from '../core/workspaces/setup.ts'
import { type Command, JSON_OPTION } from './command.ts'
import { withContext } from './open.ts'
import { ORIGIN_OPTIONS, originOf } from './origin.ts'
import { printJson, printLine } from './print.ts'

export const setupCommands: Command[] = [
  {
    name: 'setup-url',
    about: "Print a new one-time link to create the owner's account.",
    options: {
      ...JSON_OPTION,
      ...ORIGIN_OPTIONS,
    },
    run: (input) =>
      withContext(
        input,
        async (ctx, { actor }) => {
          const token = await newSetupLink(ctx, actor)
          const url = `${originOf(input.settings.config)}/admin/setup/${token.reveal()}`
          if (input.on('json')) printJson(input, { url, valid_minutes: 30 })
          else printLine(input, url)
        },
        { create: true },
      ),
  },
]
