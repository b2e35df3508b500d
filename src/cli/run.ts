import { ConfigError, nearest } from '../config.ts'
import { Refusal } from '../core/refusal.ts'
import { scrub } from '../log.ts'
import { auditCommands } from './audit.ts'
import { type Command, readInput, UsageError, type World } from './command.ts'
import { configCommands } from './config.ts'
import { commandHelp, overview } from './help.ts'
import { mcpCommands } from './mcps.ts'
import { serveCommands } from './serve.ts'
import { setupCommands } from './setup.ts'

/** Every command, in the order that help shows them. */
export const COMMANDS: Command[] = [...serveCommands, ...setupCommands, ...mcpCommands, ...auditCommands, ...configCommands]

/** 0; 1 with one line that says what to do; 2 for wrong usage. */
export async function run(argv: string[], world: World): Promise<number> {
  try {
    return await dispatch(argv, world)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    world.err(`${scrub(message)}\n`)
    const wrongUsage =
      error instanceof UsageError ||
      error instanceof ConfigError ||
      (error instanceof Refusal && error.code === 'validation_failed')
    return wrongUsage ? 2 : 1
  }
}

async function dispatch(argv: string[], world: World): Promise<number> {
  const words = argv[0] === 'help' ? argv.slice(1) : argv
  const wantsHelp = argv[0] === 'help' || beforeDashes(argv).some((word) => word === '--help' || word === '-h')
  if (argv.length === 0 || (wantsHelp && (words.length === 0 || words[0]!.startsWith('-')))) {
    world.out(overview(COMMANDS))
    return argv.length === 0 ? 2 : 0
  }
  if (words[0] === '--version' || words[0] === '-v') return dispatch(['version'], world)
  const command = COMMANDS.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '))
  if (!command) {
    const ofNoun = COMMANDS.filter(({ name }) => name.startsWith(`${words[0]} `))
    if (ofNoun.length > 0 && (wantsHelp || words.length === 1)) {
      world.out(overview(ofNoun))
      return wantsHelp ? 0 : 2
    }
    throw unknownCommand(words)
  }
  if (wantsHelp) {
    world.out(commandHelp(command))
    return 0
  }
  const input = readInput(command, words.slice(command.name.split(' ').length), world)
  return (await command.run(input)) ?? 0
}

/** What follows `--` belongs to another program. */
function beforeDashes(argv: string[]): string[] {
  const dashes = argv.indexOf('--')
  return dashes < 0 ? argv : argv.slice(0, dashes)
}

function unknownCommand(words: string[]): UsageError {
  const typed = words
    .slice(0, 2)
    .filter((word) => !word.startsWith('-'))
    .join(' ')
  return new UsageError(
    `"${typed || words[0]}" is no command. Did you mean \`claviger ${nearest(
      typed,
      COMMANDS.map(({ name }) => name),
    )}\`? All commands: claviger help`,
  )
}
