import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { delimiter } from 'node:path'
import { nearest } from './core/nearest.ts'
import { Secret } from './core/secret.ts'
import { scrub } from './log.ts'

export { nearest }

type Kind<T> = { parse: (text: string) => T; says: string }

const text: Kind<string> = { says: 'a text that is not empty', parse: notEmpty }
const secret: Kind<Secret> = { says: 'a secret that is not empty', parse: (value) => new Secret(notEmpty(value)) }

const port: Kind<number> = {
  says: 'a number from 0 to 65535; 0 picks a free port',
  parse: (value) => whole(value, 0, 65_535),
}
const days: Kind<number> = { says: 'a number of days from 1 to 3650', parse: (value) => whole(value, 1, 3650) }

const onOff: Kind<boolean> = {
  says: 'on or off',
  parse(value) {
    if (['on', 'true', '1', 'yes'].includes(value)) return true
    if (['off', 'false', '0', 'no'].includes(value)) return false
    throw new Error()
  },
}

const publicUrl: Kind<URL> = {
  says: 'the address people use, without a path, such as https://keys.example.com',
  parse(value) {
    const url = new URL(value)
    const bare = url.pathname === '/' && !/[?#@]/.test(value)
    if (!/^https?:$/.test(url.protocol) || !bare) throw new Error()
    return url
  },
}

const networks: Kind<string[]> = {
  says: 'addresses or CIDR ranges separated by commas, such as 10.0.0.0/8,::1',
  parse: (value) =>
    list(value, ',').map((range) => {
      const [address, bits, ...rest] = range.split('/')
      const family = isIP(address!)
      if (!family || address!.includes('%') || rest.length > 0) throw new Error()
      if (bits !== undefined) whole(bits, 0, family === 4 ? 32 : 128)
      return range
    }),
}

const folders: Kind<string[]> = {
  says: `folders separated by ${delimiter}`,
  parse: (value) => list(value, delimiter),
}

const brand: Kind<string> = {
  says: '1 to 16 lower-case letters and digits, beginning with a letter, such as acme',
  parse(value) {
    if (!/^[a-z][a-z0-9]{0,15}$/.test(value)) throw new Error()
    return value
  },
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]
const level: Kind<LogLevel> = {
  says: LEVELS.join(', '),
  parse(value) {
    if (!LEVELS.includes(value as LogLevel)) throw new Error()
    return value as LogLevel
  },
}

const instanceSecret: Kind<Secret> = {
  says: 'at least 32 characters, such as the output of `openssl rand -hex 32`',
  parse(value) {
    if (value.length < 32) throw new Error()
    return new Secret(value)
  },
}

/** Marks what this version reads, so that one configuration fits the next, but does nothing with. */
const NOT_YET = true

/** Each variable once: its name, kind, default, and the sentence that README and `--help` print. */
export const VARIABLES = {
  host: variable(text, '127.0.0.1', 'Address to listen on; 0.0.0.0 for all (the image does).'),
  port: variable(port, 8484, 'Port to listen on; 0 picks a free one and prints it.'),
  data_dir: variable(text, './data', 'Folder of the database, the secret and backups.'),
  public_url: variable(publicUrl, null, 'The address people use, such as https://keys.example.com.'),
  trusted_proxies: variable(networks, [], 'Proxies whose X-Forwarded-For and -Proto are believed (CIDR, commas).'),
  secret: variable(
    instanceSecret,
    null,
    'The secret under which keys are hashed; else a file `secret`, made on first start.',
  ),
  owner_email: variable(text, null, 'Creates the owner on first start, without the setup link.'),
  owner_password: variable(secret, null, 'Password for that owner, 12 characters at least.'),
  key_prefix: variable(brand, 'clv', 'What new keys begin with; keys issued before stay valid.'),
  log_level: variable(level, 'info', 'debug, info, warn or error.'),
  metrics_token: variable(secret, null, 'Bearer token for /metrics; without it there is no /metrics.', NOT_YET),
  smtp_url: variable(secret, null, 'Mail server, such as smtps://user:password@mail.example.com.', NOT_YET),
  mail_from: variable(text, null, 'Sender of mails.', NOT_YET),
  allow_private_addresses: variable(onOff, true, 'Whether upstreams and webhooks may lie in private networks.'),
  docs_roots: variable(folders, [], 'Folders that documentation repos may lie in, separated like PATH.'),
  activity_days: variable(days, 30, 'How long a line for each call is kept.'),
  tls_cert: variable(text, null, 'Certificate file, to serve https without a proxy.'),
  tls_key: variable(text, null, 'Private key file of that certificate.'),
  mcp_config: variable(
    text,
    null,
    'File of MCPs in the mcpServers format; what it declares is locked on the pages.',
    NOT_YET,
  ),
}

type Variable<T> = { kind: Kind<unknown>; fallback: T; about: string; secret: boolean; notYet: boolean }

function variable<T, F extends T | null>(
  kind: Kind<T>,
  fallback: F,
  about: string,
  notYet = false,
): Variable<T | Extract<F, null>> {
  return {
    kind,
    fallback: fallback as T | Extract<F, null>,
    about,
    notYet,
    secret: (kind as unknown) === secret || (kind as unknown) === instanceSecret,
  }
}

export type Name = keyof typeof VARIABLES
export type Config = { [N in Name]: (typeof VARIABLES)[N]['fallback'] }

export type Origin = 'flag' | 'environment' | 'file' | 'default'
export type Settings = { config: Config; origins: Record<Name, Origin>; warnings: string[] }

export class ConfigError extends Error {
  override name = 'ConfigError'
}

const PREFIX = 'CLAVIGER_'
/** Where people keep a key for their clients: no setting, and no business of the server's. */
const A_CLIENTS_KEY = 'CLAVIGER_KEY'
const NAMES = Object.keys(VARIABLES) as Name[]

/** Kubernetes injects these for a service called claviger, or claviger-something, in the same namespace. */
const KUBERNETES = /^CLAVIGER_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/
const KUBERNETES_PORT = /^CLAVIGER_(\w+_)?PORT$/

export type Sources = {
  env?: Record<string, string | undefined>
  flags?: Record<string, string | undefined>
  /** Text of the --config file. */
  file?: string | null
}

type Given = { origin: Origin; called: string; value: string }

/** Flags over environment over file over default. Unknown names and unreadable values are refused, all with a hint. */
export function readConfig({ env = {}, flags = {}, file = null }: Sources): Settings {
  const [fromFlags, fromEnv, fromFile] = [readFlags(flags), readEnvironment(env), readFile(file)]
  const config: Record<string, unknown> = {}
  const origins = {} as Record<Name, Origin>
  const warnings: string[] = []
  for (const name of NAMES) {
    const { fallback, notYet } = VARIABLES[name]
    const given = fromFlags[name] ?? fromEnv[name] ?? fromFile[name]
    origins[name] = given?.origin ?? 'default'
    config[name] = given ? parse(name, given) : fallback
    if (given && notYet) warnings.push(`${given.called} is set, but this version does nothing with it yet.`)
  }
  return { config: config as Config, origins, warnings }
}

function parse(name: Name, { called, value }: Given): unknown {
  const { kind, secret } = VARIABLES[name]
  try {
    return kind.parse(value.trim())
  } catch {
    const shown = secret ? 'not usable' : scrub(`"${value}"`)
    throw new ConfigError(`${called} is ${shown}. Set it to ${kind.says}.`)
  }
}

type Found = Partial<Record<Name, Given>>

function readFlags(flags: Record<string, string | undefined>): Found {
  const found: Found = {}
  for (const [name, value] of Object.entries(flags)) {
    const called = flagName(name)
    if (!isName(name)) throw unknownName(called, NAMES.map(flagName), 'the command')
    if (value !== undefined) found[name] = { origin: 'flag', called, value }
  }
  return found
}

function readEnvironment(env: Record<string, string | undefined>): Found {
  const found: Found = {}
  for (const [called, value] of Object.entries(env)) {
    if (!called.startsWith(PREFIX) || called === A_CLIENTS_KEY || value === undefined || value === '') continue
    if (isOfKubernetes(called, value)) continue
    const plain = nameOf(called)
    const asFile = called.endsWith('_FILE') ? nameOf(called.slice(0, -'_FILE'.length)) : null
    if (plain) found[plain] = { origin: 'environment', called, value }
    else if (asFile && VARIABLES[asFile].secret) {
      if (env[envName(asFile)])
        throw new ConfigError(`${called} and ${envName(asFile)} are both set. Keep one of them.`)
      found[asFile] = { origin: 'environment', called, value: readSecretFile(called, value) }
    } else
      throw unknownName(called, [
        ...NAMES.map(envName),
        ...NAMES.filter((name) => VARIABLES[name].secret).map((name) => `${envName(name)}_FILE`),
      ])
  }
  return found
}

function isOfKubernetes(variable: string, value: string): boolean {
  return KUBERNETES.test(variable) || (KUBERNETES_PORT.test(variable) && /^(tcp|udp|sctp):\/\//.test(value))
}

function readSecretFile(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new ConfigError(
      `${variable} names ${path}, which cannot be read (${(error as { code?: string }).code ?? 'error'}). Check the path and its permissions.`,
    )
  }
}

function readFile(file: string | null): Found {
  if (file === null) return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(file)
  } catch {
    throw new ConfigError('The configuration file is not valid JSON. Write an object such as {"port": 8484}.')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ConfigError('The configuration file must hold a JSON object such as {"port": 8484}.')
  const found: Found = {}
  for (const [name, value] of Object.entries(parsed)) {
    if (!isName(name)) throw unknownName(`"${name}"`, NAMES.map(quoted), 'the configuration file')
    const called = `${quoted(name)} in the configuration file`
    if (value !== null) found[name] = { origin: 'file', called, value: asText(name, called, value) }
  }
  return found
}

/** A file may write lists as lists; anything else is written as in the environment. */
function asText(name: Name, called: string, value: unknown): string {
  const { kind } = VARIABLES[name]
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value)
  if (Array.isArray(value) && Array.isArray(VARIABLES[name].fallback) && value.every((one) => typeof one === 'string'))
    return value.join(name === 'docs_roots' ? delimiter : ',')
  throw new ConfigError(`${called} is of the wrong kind. Set it to ${kind.says}.`)
}

function unknownName(given: string, names: string[], where = 'the environment'): ConfigError {
  return new ConfigError(`${given} in ${where} is no setting of Claviger. Did you mean ${nearest(given, names)}?`)
}

export function envName(name: Name): string {
  return PREFIX + name.toUpperCase()
}

function flagName(name: string): string {
  return `--${name.replaceAll('_', '-')}`
}

function quoted(name: Name): string {
  return `"${name}"`
}

function isName(name: string): name is Name {
  return NAMES.includes(name as Name)
}

function nameOf(variable: string): Name | null {
  const name = variable.slice(PREFIX.length).toLowerCase()
  return isName(name) && variable === envName(name) ? name : null
}

function notEmpty(value: string): string {
  if (value === '') throw new Error()
  return value
}

function list(value: string, separator: string): string[] {
  return value
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean)
}

function whole(value: string, least: number, most: number): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < least || number > most) throw new Error()
  return number
}

/** What `config print` shows: each value, where it came from, and no secret. */
export function describe({ config, origins }: Settings): { name: string; value: unknown; origin: Origin }[] {
  return NAMES.map((name) => {
    const value = config[name]
    return {
      name,
      value: value instanceof Secret ? '(hidden)' : value instanceof URL ? value.origin : value,
      origin: origins[name],
    }
  })
}

/** The only reader of the process's environment. */
export function processEnvironment(): Record<string, string | undefined> {
  return process.env
}
