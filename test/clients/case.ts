import type { Variant } from '../../src/core/connect/variant.ts'
import type { Package } from './install.ts'
import type { Ended, Running } from './processes.ts'

export const STEPS = ['list', 'call', 'refused', 'harmless'] as const
export type Step = (typeof STEPS)[number]

/** One client in one of its settings, from adding the server to being refused. */
export type Case = {
  name: string
  package: Package
  /** All but `harmless` unless told. */
  steps?: readonly Step[]
  run(world: World): Promise<void>
}

export type World = {
  /** The address of one MCP, and of all; nobody but the client of this case goes there. */
  url: string
  urlOfAll: string
  key: string
  home: string
  /** Where `claviger connect` proposes to keep the key. */
  variable: string
  /** Where the stand-in for a model answers. */
  model: string
  /** The text that the tool is asked to repeat. */
  words: string
  /** Runs one of the client's programs to its end, or for a minute at most. */
  run(program: string, args: string[], env?: Record<string, string>): Promise<Ended>
  /** A script with the client's programs in its path. */
  bash(script: string, env?: Record<string, string>): Promise<Ended>
  /** The ways to connect that Claviger prints, with the key of this case, whose name and whose MCP's name are hostile. */
  connect(client: string): Promise<Variant[]>
  begin(program: string, args: string[], env?: Record<string, string>): Running
  programFor(program: string): { command: string; env: Record<string, string> }
  /** Notes a step's outcome; what it returns is what a person sees. */
  step(step: Step, work: () => Promise<string>): Promise<void>
  /** On the command line, while the server runs. */
  revoke(): Promise<void>
}

/** The line that a person would look for; fails with everything that was printed if there is none. */
export function lineWith(pattern: RegExp, printed: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  const plain = printed.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, '')
  const line = plain.split('\n').find((one) => pattern.test(one))
  if (line === undefined) throw new Error(`Nothing like ${pattern} in:\n${plain.slice(-3000)}`)
  return line.trim()
}
