import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { delimiter } from 'node:path'
import { nearest } from './core/nearest.ts'
import { Secret } from './core/secret.ts'

export { nearest }

type Kind<T> = { parse: (text: string) => T; says: string }

const text: Kind<string> = { parse: (value) => value, says: 'a text' }
const secret: Kind<Secret> = { parse: (value) => new Secret(value), says: 'a secret' }

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
    if (!/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.username) throw new Error()
    return url
  },
}

const networks: Kind<string[]> = {
  says: 'addresses or CIDR ranges separated by commas, such as 10.0.0.0/8,::1',
  parse: (value) =>
    list(value, ',').map((range) => {
      const [address, bits, ...rest] = range.split('/')
      const family = isIP(address!)
      if (!family || rest.length > 0) throw new Error()
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
  metrics_token: variable(secret, null, 'Bearer token for /metrics; without it there is no /metrics.'),
  smtp_url: variable(secret, null, 'Mail server, such as smtps://user:password@mail.example.com.'),
  mail_from: variable(text, null, 'Sender of mails.'),
  allow_private_addresses: variable(onOff, true, 'Whether upstreams and webhooks may lie in private networks.'),
  docs_roots: variable(folders, [], 'Folders that documentation repos may lie in, separated like PATH.'),
  activity_days: variable(days, 30, 'How long a line for each call is kept.'),
  tls_cert: variable(text, null, 'Certificate file, to serve https without a proxy.'),
  tls_key: variable(text, null, 'Private key file of that certificate.'),
  mcp_config: variable(text, null, 'File of MCPs in the mcpServers format; what it declares is locked on the pages.'),
}

type Variable<T> = { kind: Kind<unknown>; fallback: T; about: string; secret: boolean }

function variable<T, F extends T | null>(kind: Kind<T>, fallback: F, about: string): Variable<T | Extract<F, null>> {
  return {
    kind,
    fallback: fallback as T | Extract<F, null>,
    about,
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
const NAMES = Object.keys(VARIABLES) as Name[]

/** Kubernetes injects these for a service called claviger. */
const KUBERNETES = /^CLAVIGER_(SERVICE_HOST|SERVICE_PORT.*|PORT_\d+_(TCP|UDP|SCTP).*)$/

export type Sources = {
  env?: Record<string, string | undefined>
  flags?: Record<string, string | undefined>
  /** Text of the --config file. */
  file?: string | null
}

/** Flags over environment over file over default. Unknown names and unreadable values are refused, all with a hint. */
export function readConfig({ env = {}, flags = {}, file = null }: Sources): Settings {
  const fromFile = readFile(file)
  const fromEnv = readEnvironment(env)
  const config: Record<string, unknown> = {}
  const origins = {} as Record<Name, Origin>
  for (const name of NAMES) {
    const given: [Origin, string, string | undefined][] = [
      ['flag', `--${name.replaceAll('_', '-')}`, flags[name]],
      ['environment', envName(name), fromEnv[name]],
      ['file', `"${name}" in the configuration file`, fromFile[name]],
    ]
    const [origin, called, value] = given.find(([, , value]) => value !== undefined) ?? ['default', '', undefined]
    origins[name] = origin
    config[name] = value === undefined ? VARIABLES[name].fallback : parse(name, called, value)
  }
  return { config: config as Config, origins, warnings: [] }
}

function parse(name: Name, called: string, value: string): unknown {
  const { kind, secret } = VARIABLES[name]
  try {
    return kind.parse(value.trim())
  } catch {
    const shown = secret ? 'not usable' : `"${value}"`
    throw new ConfigError(`${called} is ${shown}. Set it to ${kind.says}.`)
  }
}

function readEnvironment(env: Record<string, string | undefined>): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {}
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || value === undefined || value === '' || KUBERNETES.test(variable)) continue
    if (variable === 'CLAVIGER_PORT' && /^tcp:\/\//.test(value)) continue // Kubernetes again
    const plain = nameOf(variable)
    const asFile = variable.endsWith('_FILE') ? nameOf(variable.slice(0, -'_FILE'.length)) : null
    if (plain) found[plain] = value
    else if (asFile && VARIABLES[asFile].secret) {
      if (env[envName(asFile)])
        throw new ConfigError(`${variable} and ${envName(asFile)} are both set. Keep one of them.`)
      found[asFile] = readSecretFile(variable, value)
    } else
      throw unknownName(variable, [
        ...NAMES.map(envName),
        ...NAMES.filter((n) => VARIABLES[n].secret).map((n) => `${envName(n)}_FILE`),
      ])
  }
  return found
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

function readFile(file: string | null): Partial<Record<Name, string>> {
  if (file === null) return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(file)
  } catch {
    throw new ConfigError('The configuration file is not valid JSON. Write an object such as {"port": 8484}.')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ConfigError('The configuration file must hold a JSON object such as {"port": 8484}.')
  const found: Partial<Record<Name, string>> = {}
  for (const [key, value] of Object.entries(parsed)) {
    if (!NAMES.includes(key as Name))
      throw unknownName(
        `"${key}"`,
        NAMES.map((name) => `"${name}"`),
        'the configuration file',
      )
    if (value !== null)
      found[key as Name] = Array.isArray(value) ? value.join(key === 'docs_roots' ? delimiter : ',') : String(value)
  }
  return found
}

function unknownName(given: string, names: string[], where = 'the environment'): ConfigError {
  return new ConfigError(`${given} in ${where} is no setting of Claviger. Did you mean ${nearest(given, names)}?`)
}

export function envName(name: Name): string {
  return PREFIX + name.toUpperCase()
}

function nameOf(variable: string): Name | null {
  const name = variable.slice(PREFIX.length).toLowerCase() as Name
  return variable === envName(name) && NAMES.includes(name) ? name : null
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
