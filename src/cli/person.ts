import { type Input, type Option, UsageError } from './command.ts'

/** A person is named by e-mail, as an argument or as an option. */
export const EMAIL_OPTION: Record<string, Option> = {
  email: { value: 'EMAIL', about: 'The e-mail address, if it is not given as an argument.' },
}

/** The address, and the arguments after it. */
export function emailOf(input: Input): { email: string; rest: string[] } {
  const option = input.text('email')
  const [email, ...rest] = option === undefined ? input.args : [option, ...input.args]
  if (email === undefined) throw new UsageError('Say who: an e-mail address such as ana@example.com.')
  return { email, rest }
}

export function noMore(rest: string[]): void {
  if (rest.length > 0) throw new UsageError('One argument too many: a person is named once.')
}
