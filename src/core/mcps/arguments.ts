import { withoutSecretsIn } from './address.ts'

const WORD = 'key|token|secret|passw|pwd|auth|credential|header|cookie'
/** Options, variables and headers that are called so hold a secret, as far as anybody can tell. */
const SECRET = new RegExp(WORD, 'i')
/** `API_KEY=…`, `Authorization: …`, `{"token": …`, wherever it stands; in an address no colon makes a name. */
const NAMED = new RegExp(`[\\w-]*(?:${WORD})[\\w-]*["']?\\s*[=:]\\s*(?=[^…])`, 'i')
const ASSIGNED = new RegExp(`[\\w-]*(?:${WORD})[\\w-]*=(?=[^…])`, 'i')
const VARIABLE = /^(?:-e|--env)$/
const HEADER = /^(?:-H|--header)$/
const OPTION = /^--?[\w-]+$/
const WITH_VALUE = /^(--?[\w-]+)=(.*)$/s
const ADDRESS = /^[a-z][a-z0-9+.:-]*:\/\//i

/** The arguments of a command: what may be seen of them, by anybody and in the database. */
export function withoutSecrets(args: string[]): string[] {
  return args.map((arg, at) => {
    const [, option, value] = WITH_VALUE.exec(arg) ?? []
    if (option !== undefined) return `${option}=${shown(value!, option)}`
    const before = args[at - 1]
    return arg.startsWith('-') ? arg : shown(arg, before !== undefined && OPTION.test(before) ? before : '')
  })
}

function shown(value: string, option: string): string {
  if (VARIABLE.test(option)) return upTo('=', value) ?? value // a bare name is taken from the environment
  if (HEADER.test(option)) return upTo(':', value) ?? '…'
  if (SECRET.test(option)) return '…'
  if (ADDRESS.test(value)) {
    const told = withoutSecretsIn(value)
    return told === value ? upToNamed(ASSIGNED, value) : told
  }
  const told = upToNamed(NAMED, value)
  if (told !== value) return told
  return isRandom(value) ? '…' : value
}

/** A long run of letters and digits that nobody would guess; not in a path, a package with its version, a sentence. */
function isRandom(value: string): boolean {
  const runs = /[/@\s]/.test(value) ? [] : (value.match(/[A-Za-z0-9]{20,}/g) ?? [])
  return runs.some((run) => /\d/.test(run) && /[A-Za-z]/.test(run))
}

function upToNamed(pattern: RegExp, text: string): string {
  const named = pattern.exec(text)
  return named ? `${text.slice(0, named.index + named[0].length)}…` : text
}

function upTo(sign: string, text: string): string | null {
  const at = text.indexOf(sign)
  return at < 0 ? null : `${text.slice(0, at + 1)}…`
}

/** What is left out of them, for whoever must not repeat it. */
export function secretsIn(args: string[]): string[] {
  return withoutSecrets(args).flatMap((told, at) => (told === args[at] ? [] : hidden(args[at]!, told)))
}

function hidden(arg: string, told: string): string[] {
  const pattern = told.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const parts = new RegExp(`^${pattern.join('(.*?)')}$`, 's').exec(arg)
  return parts ? parts.slice(1) : [arg]
}
