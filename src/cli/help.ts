import { VERSION } from '../version.ts'
import { COMMON, type Command, type Option } from './command.ts'

export function overview(commands: Command[]): string {
  const width = Math.max(...commands.map((command) => usage(command).length))
  const groups = Map.groupBy(commands, ({ name }) => (name.includes(' ') ? name.split(' ')[0] : ''))
  const lines = [...groups.values()].map((group) =>
    group.map((command) => `  ${usage(command).padEnd(width)}  ${command.about}`).join('\n'),
  )
  return `Claviger ${VERSION}: API keys in front of any MCP server.\n\nUsage: claviger COMMAND [OPTIONS]\n\n${lines.join('\n\n')}\n\nMore about one: claviger COMMAND --help\n`
}

export function commandHelp(command: Command): string {
  const own = Object.entries(command.options ?? {})
  const common = Object.entries(COMMON).filter(([name]) => !command.options?.[name])
  const width = Math.max(...[...own, ...common].map(([name, option]) => flag(name, option).length))
  const parts = [
    command.about,
    `Usage: claviger ${usage(command)} [OPTIONS]`,
    listed(own, width),
    `Always:\n${listed(common, width)}`,
    (command.notes ?? []).join('\n'),
  ]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

function listed(options: [string, Option][], width: number): string {
  return options
    .map(([name, option]) => `  ${flag(name, option).padEnd(width)}  ${option.about}${option.needed ? ' Needed.' : ''}`)
    .join('\n')
}

function usage({ name, args }: Command): string {
  return args ? `${name} ${args}` : name
}

function flag(name: string, { value, many }: Option): string {
  return `--${name}${value ? ` ${value}` : ''}${many ? '...' : ''}`
}
