import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { ConfigError, nearest, readConfig, type Settings, VARIABLES } from '../config.ts'
import { openContext } from '../context.ts'
import type { Actor } from '../core/audit.ts'
import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'

/** What a command touches of the machine; a test hands in its own. */
export type World = {
  env: Record<string, string | undefined>
  out(text: string): void
  err(text: string): void
  isTerminal: boolean
  stdin(): Promise<string>
  onStop(stop: () => void): void
}

/** `value`: the word that help shows for what follows; without one the option is a switch. */
export type Option = { value?: string; many?: boolean; about: string }

export type Command = {
  /** What is typed, such as `keys create`. */
  name: string
  args?: string
  about: string
  options?: Record<string, Option>
  run(input: Input): Promise<number | void>
}

export type Input = {
  args: string[]
  text(option: string): string | undefined
  texts(option: string): string[] | undefined
  on(option: string): boolean
  settings: Settings
  world: World
}

/** The caller's own mistake in what was typed: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export const COMMON: Record<string, Option> = {
  'data-dir': { value: 'DIR', about: 'Folder of the database and the secret (./data).' },
  config: { value: 'FILE', about: 'Configuration file, JSON.' },
  help: { about: 'Show this help.' },
}

export const JSON_OPTION: Record<string, Option> = { json: { about: 'Print JSON.' } }
export const WORKSPACE_OPTION: Record<string, Option> = {
  workspace: { value: 'NAME', about: 'Workspace, by slug or name (default: the only one).' },
}

export function readInput(command: Command, argv: string[], world: World): Input {
  const known = { ...command.options, ...COMMON }
  const { values, positionals } = parse(command, known, argv)
  checkArguments(command, positionals)
  const flags: Record<string, string> = {}
  for (const name of Object.keys(VARIABLES)) {
    const value = values[name.replaceAll('_', '-')]
    if (typeof value === 'string') flags[name] = value
  }
  const file = typeof values.config === 'string' ? readConfigFile(values.config) : null
  return {
    args: positionals,
    text: (option) => values[option] as string | undefined,
    texts: (option) => values[option] as string[] | undefined,
    on: (option) => values[option] === true,
    settings: readConfig({ env: world.env, flags, file }),
    world,
  }
}

function parse(command: Command, known: Record<string, Option>, argv: string[]) {
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { value, many }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const), multiple: many ?? false },
    ]),
  )
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true })
  } catch (error) {
    const unknown = /Unknown option '(--?[^']+)'/.exec((error as Error).message)?.[1]
    if (unknown)
      throw new UsageError(
        `${unknown} is no option of \`claviger ${command.name}\`. Did you mean ${nearest(
          unknown,
          Object.keys(known).map((name) => `--${name}`),
        )}?`,
      )
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. See \`claviger ${command.name} --help\`.`)
  }
}

/** `args` is written as help shows it: `NAME [FILE]`, `ID...`. */
function checkArguments({ name, args = '' }: Command, given: string[]): void {
  const words = args.split(' ').filter((word) => word && word !== '--')
  const least = words.filter((word) => !word.startsWith('[')).length
  const most = args.includes('...') ? Infinity : words.length
  if (given.length < least) throw new UsageError(`Missing ${words[given.length]}. Usage: claviger ${name} ${args}`)
  if (given.length > most)
    throw new UsageError(`"${given[most]}" is one argument too many. Usage: claviger ${name} ${args}`.trimEnd())
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`The configuration file ${path} cannot be read (${(error as { code?: string }).code}).`)
  }
}

/** Opens the data directory for one command; a server that runs on it obeys at once. */
export async function withContext<T>(
  input: Input,
  work: (ctx: Context, caller: Caller & { kind: 'operator' }) => Promise<T>,
): Promise<T> {
  const { ctx } = openContext(input.settings.config, () => new Date())
  try {
    return await work(ctx, operator())
  } finally {
    await ctx.store.close()
  }
}

export function operator(): Caller & { kind: 'operator' } {
  const actor: Actor = {
    kind: 'cli',
    id: null,
    label: `command line (${accountName()})`,
    address: null,
    requestId: null,
  }
  return { kind: 'operator', actor }
}

/** A container may run as a user that has no name. */
function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}
