import type { Settings } from '../config.ts'

/** What a command touches of the machine; a test hands in its own. */
export type World = {
  env: Record<string, string | undefined>
  now(): Date
  out(text: string): void
  err(text: string): void
  /** Whether a person reads what is printed. */
  isTerminal: boolean
  /** Whether a person can be asked. */
  canAsk: boolean
  /** What is typed, unseen. */
  ask(question: string): Promise<string>
  stdin(): Promise<string>
  onStop(stop: () => void): void
}

/** `value`: the word that help shows for what follows; without one the option is a switch. */
export type Option = { value?: string; many?: boolean; needed?: boolean; about: string }

export type Command = {
  /** What is typed, such as `keys create`. */
  name: string
  args?: string
  about: string
  options?: Record<string, Option>
  /** Below the options in help: what to know, and examples. */
  notes?: string[]
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
