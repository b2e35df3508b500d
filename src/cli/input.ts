import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ConfigError, nearest, readConfig, VARIABLES } from '../config.ts'
import { COMMON, type Command, type Input, type Option, UsageError, type World } from './command.ts'

export function readInput(command: Command, argv: string[], world: World): Input {
  const known = { ...COMMON, ...command.options }
  const { values, positionals } = parse(command, known, argv)
  checkArguments(command, positionals)
  for (const [name, { needed, value }] of Object.entries(known))
    if (needed && values[name] === undefined)
      throw new UsageError(`Missing --${name} ${value}. See \`claviger ${command.name} --help\`.`)
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

export function wholeNumber(input: Input, option: string): number | undefined {
  const text = input.text(option)
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${option} is "${text}". Give a whole number.`)
  return Number(text)
}

export function oneOf<T extends string>(input: Input, option: string, words: readonly T[]): T | undefined {
  const text = input.text(option)
  if (text === undefined || words.includes(text as T)) return text as T | undefined
  throw new UsageError(`--${option} is "${text}". Give ${words.slice(0, -1).join(', ')} or ${words.at(-1)}.`)
}

function parse(command: Command, known: Record<string, Option>, argv: string[]) {
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { value, many }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const), multiple: many ?? false },
    ]),
  )
  const { values, positionals, tokens } = (() => {
    try {
      return parseArgs({ args: argv, options, allowPositionals: true, strict: true, tokens: true })
    } catch (error) {
      throw mistake(command, known, (error as Error).message)
    }
  })()
  const given = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (given.has(token.name) && !known[token.name]!.many)
      throw new UsageError(`--${token.name} is given twice. Say it once.`)
    given.add(token.name)
  }
  return { values, positionals }
}

function mistake(command: Command, known: Record<string, Option>, message: string): UsageError {
  const unknown = /Unknown option '(--?[^'=]+)/.exec(message)?.[1]
  if (unknown) {
    const names = Object.keys(known).map((name) => `--${name}`)
    return new UsageError(
      `${unknown} is no option of \`claviger ${command.name}\`. Did you mean ${nearest(unknown, names)}? All: claviger ${command.name} --help`,
    )
  }
  const name = /'(?:-\w, )?--([\w-]+)/.exec(message)?.[1]
  const option = name && known[name]
  if (!option) return new UsageError(`${message.split(/\.\s/)[0]}. See \`claviger ${command.name} --help\`.`)
  return new UsageError(
    option.value
      ? `--${name} needs a value: --${name} ${option.value}; one that begins with a dash as --${name}=-…`
      : `--${name} takes no value.`,
  )
}

/** `args` is written as help shows it: `NAME [FILE]`, `ID...`. */
function checkArguments({ name, args = '' }: Command, given: string[]): void {
  const words = args.split(' ').filter((word) => word && word !== '--')
  const least = words.filter((word) => !word.startsWith('[')).length
  const most = args.includes('...') ? Number.POSITIVE_INFINITY : words.length
  if (given.length < least) throw new UsageError(`Missing ${words[given.length]}. Usage: claviger ${name} ${args}`)
  if (given.length > most)
    // its text may be a password
    throw new UsageError(`One argument too many. Usage: claviger ${`${name} ${args}`.trimEnd()} [OPTIONS]`)
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`The configuration file ${path} cannot be read (${(error as { code?: string }).code}).`)
  }
}
