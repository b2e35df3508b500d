import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { StdioTarget } from '../core/mcps/mcp.ts'
import { CallFailed } from './connection.ts'

export type Command = { argv: string[]; env: Record<string, string> }

/** What to run for a target. Where Node is missing, its commands run in this very executable, which is also Bun. */
export function commandFor(target: StdioTarget, path: string | undefined, self = process.execPath): Command {
  const cwd = target.cwd ?? process.cwd()
  if (!existsSync(cwd)) throw unstartable(`The folder ${cwd} does not exist where Claviger runs.`)
  const found = target.command.includes('/')
    ? existing(resolve(cwd, target.command))
    : Bun.which(target.command, { PATH: path ?? '', cwd })
  if (found) return { argv: [found, ...target.args], env: {} }
  const args = target.command.includes('/') ? null : asBun(target.command, target.args)
  if (args) return { argv: [self, ...args], env: { BUN_BE_BUN: '1' } } // makes the compiled executable act as Bun
  throw unstartable(
    `There is no command ${target.command} where Claviger runs. Install it there, or give the full path of one that is.`,
  )
}

/** The same in Bun's words; null for commands that are not Node's, and for what Bun cannot do. */
function asBun(command: string, args: string[]): string[] | null {
  if (command === 'node' || command === 'bun') return args
  if (command === 'npx' || command === 'bunx') return asBunx(args)
  if (command === 'npm' && (args[0] === 'exec' || args[0] === 'x')) return asBunx(withoutSecondDash(args.slice(1)))
  return null
}

const PACKAGE = /^(?:-p|--package)(?:=(.*))?$/s

function asBunx(args: string[]): string[] | null {
  const packages: string[] = []
  let at = 0
  for (; at < args.length && args[at]!.startsWith('-'); at++) {
    const arg = args[at]!
    const named = PACKAGE.exec(arg)
    if (arg === '--') {
      at++
      break
    }
    if (arg === '-c' || arg === '--call') return null
    if (named) packages.push('--package', named[1] ?? args[++at] ?? '')
  }
  if (at === args.length || packages.length > 2) return null
  return ['x', '--bun', ...packages, ...args.slice(at)]
}

/** `npm exec server -- --flag`: what follows the dashes is the server's, the dashes are not. */
function withoutSecondDash(args: string[]): string[] {
  const at = args.indexOf('--')
  const afterCommand = args
    .slice(0, Math.max(at, 0))
    .some((arg, i) => !arg.startsWith('-') && !/^(-p|--package)$/.test(args[i - 1] ?? ''))
  return afterCommand ? args.toSpliced(at, 1) : args
}

function existing(file: string): string | null {
  return existsSync(file) ? file : null
}

function unstartable(message: string): CallFailed {
  return new CallFailed({ code: 'upstream_unavailable', stage: 'start', message, unsent: true })
}
