import { describe } from '../config.ts'
import { VERSION } from '../version.ts'
import { type Command, type Input, JSON_OPTION } from './command.ts'
import { localOrigin } from './origin.ts'
import { printJson, printLine, printTable, remark } from './print.ts'

export const configCommands: Command[] = [
  {
    name: 'healthcheck',
    about: 'Ask the running server whether it is ready; exit code 1 if not.',
    options: {
      url: { value: 'URL', about: 'Where it answers (from the configuration).' },
      port: { value: 'PORT', about: 'Port it listens on.' },
    },
    run: healthcheck,
  },
  {
    name: 'config print',
    about: 'Show every setting, where it comes from, and no secret.',
    options: JSON_OPTION,
    async run(input) {
      const lines = describe(input.settings)
      if (input.on('json')) return printJson(input, lines)
      printTable(
        input,
        ['SETTING', 'VALUE', 'FROM'],
        lines.map(({ name, value, origin }) => [
          name,
          Array.isArray(value) ? value.join(', ') || '-' : String(value ?? '-'),
          origin,
        ]),
        '',
      )
    },
  },
  {
    name: 'version',
    about: 'Print the version.',
    options: JSON_OPTION,
    async run(input) {
      if (input.on('json'))
        printJson(input, { version: VERSION, bun: Bun.version, platform: `${process.platform}-${process.arch}` })
      else printLine(input, VERSION)
    },
  },
]

async function healthcheck(input: Input): Promise<number> {
  const url = input.text('url') ?? `${localOrigin(input.settings.config)}/readyz`
  try {
    // its own certificate may name the public host only; this asks no secret and believes no content
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000), tls: { rejectUnauthorized: false } })
    if (answer.ok) return 0
    remark(input.world, `${url} answers ${answer.status}.`)
  } catch (error) {
    remark(input.world, `${url} does not answer: ${(error as Error).message}`)
  }
  return 1
}
