import { readFileSync } from 'node:fs'
import { Secret } from '../core/secret.ts'
import { type Input, type Option, UsageError } from './command.ts'

export const PASSWORD_OPTION: Record<string, Option> = {
  'password-file': { value: 'FILE', about: 'File that holds the password; - reads standard input. Else it is asked.' },
}

/** From a file or standard input, or typed unseen: an argument would stand in the process list. */
export async function readPassword(input: Input): Promise<Secret> {
  const file = input.text('password-file')
  if (file !== undefined) return readSecret(input, file, 'password')
  const { world } = input
  if (!world.canAsk)
    throw new UsageError('Give the password in a file: --password-file FILE, or --password-file - for standard input.')
  const typed = await world.ask('Password: ')
  if ((await world.ask('Once more: ')) !== typed)
    throw new UsageError('The two passwords differ. Nothing was changed; start again.')
  return new Secret(typed)
}

/** One line of a file, or of standard input for `-`. */
export async function readSecret(input: Input, file: string, what: string): Promise<Secret> {
  const text = (file === '-' ? await input.world.stdin() : read(file, what))
    .replace(/^\ufeff/, '')
    .replace(/\r?\n$/, '')
  const source = file === '-' ? 'Standard input' : file
  if (text.trim() === '') throw new UsageError(`${source} holds no ${what}.`)
  if (/[\r\n]/.test(text)) throw new UsageError(`${source} holds several lines. Write the ${what} alone.`)
  return new Secret(text)
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'error'
    throw new UsageError(`The ${what} file ${file} cannot be read (${code}). Check the path and its permissions.`)
  }
}
