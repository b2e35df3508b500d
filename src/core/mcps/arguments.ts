import { LOGIN } from './address.ts'

/** What is called so holds a secret, as far as anybody can tell. */
const WORD =
  '(?:key(?!cloak|space|board)|token(?!i[sz]e)|secret|passw|passphrase|pass(?![a-z])|pwd|auth(?!or(?!i[sz]))|credential|bearer|cookie|(?<![a-z])pat(?![a-z]))'
const OPTION = /^--[a-z][\w.-]*$|^-[a-z]$/i
const SECRET_OPTION = new RegExp(`^-{1,2}(?!-|no-|skip-|without-)[\\w.-]{0,100}?${WORD}[\\w.-]{0,100}$`, 'i')
/** `--token=…`, `-eNAME=…`, `-HName: …` */
const JOINED = /^(-H(?=[\w-]+:)|-e(?=[A-Z_]\w*=)|--?[A-Za-z][\w.-]*=)(.+)$/s
const VARIABLE = /^(?:-e|--env)$/
const HEADER = /^(?:-H|--headers?)$/
const HEADER_NAME = /^[a-z][a-z-]*$/i
const VARIABLE_NAME = /^\w+$/
/** Nobody's secret, whatever stands before it. */
const PLAIN = /^(?:true|false|yes|no|on|off|none|stdio|sse|https?|localhost|\d{1,5}|\d+(?:\.\d+){1,3}(?::\d+)?)?$/i

const VALUE = `(?:(?:Bearer|Basic|Token|ApiKey)\\s+)?[^\\s"'&;,\\\\…]+`
/** Wherever they stand in a text: the first group is shown, what follows is not. */
const WITHIN = [
  LOGIN,
  /([^\s:@/"']{1,100}:)[^\s@"'…]{1,200}(?=@(?:tcp|unix)\()/g,
  /([?&][^\s=&#"']{1,100}=)[^\s&#"'…]+/g,
  new RegExp(`(${WORD}[\\w.-]{0,40}\\\\*["']?\\s*=\\s*\\\\*["']?)${VALUE}`, 'gi'),
  new RegExp(`(${WORD}[\\w.-]{0,40}\\\\*["']?\\s*:(?!/|\\d{1,5}(?!\\w))\\s*\\\\*["']?)${VALUE}`, 'gi'),
  new RegExp(`(\\s-{1,2}(?!-|no-|skip-|without-)[\\w.-]{0,40}?${WORD}[\\w.-]{0,40}\\s+["']?)(?!-)${VALUE}`, 'gi'),
  /(\b(?:Bearer|Basic)\s+)[^\s"'\\…]+/g,
]
/** Made to be guessed by nobody; a run without dashes, as packages have them in their names. What pins an image is no secret. */
const RANDOM =
  /(?<!sha256:|[A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g

/** The arguments of a command: what may be seen of them, by anybody and in the database. */
export function withoutSecrets(args: string[]): string[] {
  return toldAndHidden(args, () => {})
}

/** What is left out of them, for whoever must not repeat it. */
export function secretsIn(args: string[]): string[] {
  const secrets: string[] = []
  toldAndHidden(args, (secret) => secrets.push(secret))
  return secrets
}

type Hide = (secret: string) => void

function toldAndHidden(args: string[], hide: Hide): string[] {
  return args.map((arg, at) => {
    const [, option, value] = JOINED.exec(arg) ?? []
    if (option !== undefined) return option + toldOf(option.replace('=', ''), value!, hide)
    const before = args[at - 1] ?? ''
    if (OPTION.test(arg)) return arg
    if (OPTION.test(before) || SECRET_OPTION.test(before)) return toldOf(before, arg, hide)
    return followsName(args[at - 2] ?? '', before, arg) ? hidden(arg, hide) : withoutAny(arg, hide)
  })
}

/** `--headers Authorization 'Bearer …'` and `-e API_KEY …`, as some take them; an image after `-e NAME` has a slash. */
function followsName(option: string, name: string, value: string): boolean {
  if (HEADER.test(option)) return HEADER_NAME.test(name)
  return VARIABLE.test(option) && VARIABLE_NAME.test(name) && SECRET_OPTION.test(`--${name}`) && !value.includes('/')
}

function toldOf(option: string, value: string, hide: Hide): string {
  if (VARIABLE.test(option)) return value.includes('=') ? upTo('=', value, hide) : value // a bare name is taken from the environment
  if (HEADER.test(option) && !HEADER_NAME.test(value))
    return value.includes(':') ? upTo(':', value, hide) : hidden(value, hide)
  return SECRET_OPTION.test(option) ? hidden(value, hide) : withoutAny(value, hide)
}

function upTo(sign: string, text: string, hide: Hide): string {
  const end = text.indexOf(sign) + 1
  return text.slice(0, end) + hidden(text.slice(end), hide)
}

function hidden(value: string, hide: Hide): string {
  if (PLAIN.test(value)) return value
  for (const word of value.trim().split(/\s+/)) if (word.length >= 10 || /[^A-Za-z]/.test(word)) hide(word)
  return '…'
}

function withoutAny(text: string, hide: Hide): string {
  let shown = text
  for (const pattern of WITHIN)
    shown = shown.replace(pattern, (whole, start: string) => start + hidden(whole.slice(start.length), hide))
  return shown.replace(RANDOM, (run) => hidden(run, hide))
}
