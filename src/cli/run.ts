import { nearest } from '../config.ts'
import { auditCommands } from './audit.ts'
import { bridgeCommands } from './bridge/command.ts'
import { COMMON, type Command, UsageError, type World } from './command.ts'
import { configCommands } from './config.ts'
import { connectCommands } from './connect.ts'
import { exitCodeOf, sentenceOf } from './failures.ts'
import { commandHelp, overview } from './help.ts'
import { readInput } from './input.ts'
import { keyCommands } from './keys.ts'
import { mcpCommands } from './mcps.ts'
import { memberCommands } from './members.ts'
import { remark } from './print.ts'
import { repoCommands } from './repos.ts'
import { serveCommands } from './serve.ts'
import { setupCommands } from './setup.ts'
import { userCommands } from './users.ts'
import { workspaceCommands } from './workspaces.ts'

/** Every command, in the order that help shows them. */
export const COMMANDS: Command[] = [
  ...serveCommands,
  ...setupCommands,
  ...userCommands,
  ...workspaceCommands,
  ...memberCommands,
  ...keyCommands,
  ...mcpCommands,
  ...repoCommands,
  ...connectCommands,
  ...bridgeCommands,
  ...auditCommands,
  ...configCommands,
]

/** 0; 1 with one line that says what to do; 2 for wrong usage. */
export async function run(argv: string[], world: World): Promise<number> {
  try {
    return await dispatch(commandFirst(argv), world)
  } catch (error) {
    remark(world, sentenceOf(error))
    return exitCodeOf(error)
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
  const command = longestMatch(words)
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

/** Greedy: of two commands that fit, the one with more words. */
function longestMatch(words: string[]): Command | undefined {
  const fitting = COMMANDS.filter(({ name }) => name === words.slice(0, name.split(' ').length).join(' '))
  return fitting.sort((a, b) => b.name.length - a.name.length)[0]
}

/** `claviger --data-dir DIR keys list` is what people type too. */
function commandFirst(argv: string[]): string[] {
  let end = 0
  for (let option = optionAt(argv, end); option > 0; option = optionAt(argv, end)) end += option
  if (end === 0 || end >= argv.length) return argv
  const words = argv.slice(end)
  return [...beforeDashes(words), ...argv.slice(0, end), ...words.slice(beforeDashes(words).length)]
}

/** How many words the option at this place takes up; 0 if there is none that every command knows. */
function optionAt(argv: string[], at: number): number {
  const [name, value] = argv[at]?.startsWith('--') ? argv[at].slice(2).split('=', 2) : []
  if (name === undefined || !COMMON[name]?.value) return 0
  return value === undefined ? 2 : 1
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
  const names = COMMANDS.map(({ name }) => name)
  const nouns = names.filter((name) => name.includes(' ')).map((name) => name.split(' ')[0]!)
  return new UsageError(
    `"${typed || words[0]}" is no command. Did you mean \`claviger ${nearest(typed, [
      ...names,
      ...nouns,
    ])}\`? All commands: claviger help`,
  )
}
