import { newSetupLink } from '../core/workspaces/setup.ts'
import { type Command, JSON_OPTION, withContext } from './command.ts'
import { printJson, printLine } from './print.ts'

export const setupCommands: Command[] = [
  {
    name: 'setup-url',
    about: "Print a new one-time link to create the owner's account.",
    options: {
      ...JSON_OPTION,
      'public-url': { value: 'URL', about: 'The address that people use.' },
      port: { value: 'PORT', about: 'Port the server listens on.' },
    },
    run: (input) =>
      withContext(input, async (ctx, { actor }) => {
        const { config } = input.settings
        const token = await newSetupLink(ctx, actor)
        const origin = config.public_url?.origin ?? `http://127.0.0.1:${config.port}`
        const url = `${origin}/admin/setup/${token.reveal()}`
        if (input.on('json')) printJson(input, { url, valid_minutes: 30 })
        else printLine(input, url)
      }),
  },
]
