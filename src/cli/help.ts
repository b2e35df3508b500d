import { VERSION } from '../version.ts'
import { COMMON, type Command, type Option } from './command.ts'

export function overview(commands: Command[]): string {
  const width = Math.max(...commands.map((command) => usage(command).length))
  const lines = commands.map((command) => `  ${usage(command).padEnd(width)}  ${command.about}`)
  return `Claviger ${VERSION}: API keys in front of any MCP server.\n\nUsage: claviger COMMAND [OPTIONS]\n\n${lines.join('\n')}\n\nMore about one: claviger COMMAND --help\n`
}

export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON }).map(([name, option]) => [
    flag(name, option),
    option.about,
  ])
  const width = Math.max(...options.map(([shown]) => shown!.length))
  const lines = options.map(([shown, about]) => `  ${shown!.padEnd(width)}  ${about}`)
  return `${command.about}\n\nUsage: claviger ${usage(command)} [OPTIONS]\n\n${lines.join('\n')}\n`
}

function usage({ name, args }: Command): string {
  return args ? `${name} ${args}` : name
}

function flag(name: string, { value, many }: Option): string {
  return `--${name}${value ? ` ${value}` : ''}${many ? '...' : ''}`
}
