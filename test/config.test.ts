import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../src/cli/run.ts'
import { ConfigError, describe as describeSettings, envName, type Name, readConfig, VARIABLES } from '../src/config.ts'
import { Secret } from '../src/core/secret.ts'
import { terminal } from './cli/terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'claviger-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const NAMES = Object.keys(VARIABLES) as Name[]
const SECRETS = NAMES.filter((name) => VARIABLES[name].secret)

/** Three good values for each variable, and what cannot be one. A new variable does not compile without them. */
const VALUES: Record<Name, { good: [string, string, string]; bad: string[] }> = {
  host: { good: ['0.0.0.0', '::1', '127.0.0.2'], bad: [' '] },
  port: { good: ['0', '9000', '65535'], bad: ['http', '-1', '65536', '84.84', '1e3', '0x10', ' '] },
  data_dir: { good: ['/a', '/b', 'c'], bad: [' '] },
  public_url: {
    good: ['https://a.example', 'http://b.example:8080', 'https://c.example/'],
    bad: [
      ...['a.example', 'ftp://a.example', 'https://a.example/path', 'https://a.example/?q', 'https://a.example/#here'],
      ...['https://', 'https://ana@a.example', 'https://:@a.example'],
    ],
  },
  trusted_proxies: {
    good: ['10.0.0.0/8', '::1', '10.0.0.1, fd00::/8'],
    bad: ['10.0.0.0/33', 'proxy.example', '10.0.0.0/8/8', '::1/129', '10.0.0/8', 'fe80::1%eth0', '10.0.0.0/'],
  },
  secret: { good: ['a'.repeat(32), 'b'.repeat(64), 'c'.repeat(40)], bad: ['short', 'x'.repeat(31)] },
  owner_email: { good: ['a@example.com', 'b@example.com', 'c@example.com'], bad: [' '] },
  owner_password: { good: ['one two three', 'four five six', 'seven eight'], bad: [' '] },
  key_prefix: {
    good: ['acme', 'k1', 'abcdefghijklmnop'],
    bad: ['Acme', '1k', 'my-co', 'my_co', 'a'.repeat(17), 'ключ'],
  },
  log_level: { good: ['debug', 'warn', 'error'], bad: ['verbose', 'INFO', ' '] },
  metrics_token: { good: ['a', 'b', 'c'], bad: [' '] },
  smtp_url: { good: ['smtp://a', 'smtp://b', 'smtp://c'], bad: [' '] },
  mail_from: { good: ['a@example.com', 'b@example.com', 'c@example.com'], bad: [' '] },
  allow_private_addresses: { good: ['on', 'off', 'false'], bad: ['maybe', 'ON', ' '] },
  docs_roots: { good: ['/a', `/a${delimiter}/b`, '/c'], bad: [] },
  activity_days: { good: ['1', '90', '3650'], bad: ['0', '3651', 'ten', ' '] },
  tls_cert: { good: ['/a', '/b', '/c'], bad: [' '] },
  tls_key: { good: ['/a', '/b', '/c'], bad: [' '] },
  mcp_config: { good: ['/a', '/b', '/c'], bad: [' '] },
}

function valueIn(name: Name, sources: Parameters<typeof readConfig>[0]): unknown {
  const value: unknown = readConfig(sources).config[name]
  return value instanceof Secret ? value.reveal() : value instanceof URL ? value.href : value
}

function refusalOf(sources: Parameters<typeof readConfig>[0]): string {
  try {
    readConfig(sources)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('was taken')
}

describe.each(NAMES)('%s', (name) => {
  const { good, bad } = VALUES[name]
  const [a, b, c] = good
  const [env, file] = [{ [envName(name)]: b }, JSON.stringify({ [name]: c })]

  it('is taken from a flag, else the environment, else the file, else the default', () => {
    const alone = good.map((value) => valueIn(name, { flags: { [name]: value } }))
    expect(new Set(alone.map((value) => inspect(value))).size).toBe(
      good.length - (name === 'allow_private_addresses' ? 1 : 0),
    )
    expect(valueIn(name, { flags: { [name]: a }, env, file })).toEqual(alone[0])
    expect(valueIn(name, { env, file })).toEqual(alone[1])
    expect(valueIn(name, { file })).toEqual(alone[2])
    expect(valueIn(name, {})).toEqual(VARIABLES[name].fallback)
  })

  it('says where it came from', () => {
    expect(readConfig({ flags: { [name]: a }, env, file }).origins[name]).toBe('flag')
    expect(readConfig({ env, file }).origins[name]).toBe('environment')
    expect(readConfig({ file }).origins[name]).toBe('file')
    expect(readConfig({}).origins[name]).toBe('default')
  })

  it('is as good as unset when empty in the environment', () => {
    expect(readConfig({ env: { [envName(name)]: '' } }).origins[name]).toBe('default')
  })

  if (bad.length > 0)
    it.each(bad)('refuses %j and says what to set', (value) => {
      for (const [sources, called] of [
        [{ flags: { [name]: value } }, `--${name.replaceAll('_', '-')}`],
        [{ env: { [envName(name)]: value } }, envName(name)],
        [{ file: JSON.stringify({ [name]: value }) }, `"${name}" in the configuration file`],
      ] as const) {
        const sentence = refusalOf(sources)
        expect(sentence.startsWith(`${called} is `)).toBe(true)
        expect(sentence.endsWith(`Set it to ${VARIABLES[name].kind.says}.`)).toBe(true)
        if (VARIABLES[name].secret && value.trim()) expect(sentence).not.toContain(value)
      }
    })

  it.each([{}, { a: 1 }, [1], [[]]])('refuses %j in a file', (value) => {
    expect(refusalOf({ file: JSON.stringify({ [name]: value }) })).toContain(`"${name}" in the configuration file`)
  })
})

describe('a name that is none of ours', () => {
  it.each([
    ['CLAVIGER_PROT', 'CLAVIGER_PORT'],
    ['CLAVIGER_DATADIR', 'CLAVIGER_DATA_DIR'],
    ['CLAVIGER_PUBLIC_URI', 'CLAVIGER_PUBLIC_URL'],
    ['CLAVIGER_SECRET_FIEL', 'CLAVIGER_SECRET_FILE'],
    ['CLAVIGER_OWNER_PASSWORD_PATH', 'CLAVIGER_OWNER_PASSWORD_FILE'],
    ['CLAVIGER_port', 'CLAVIGER_PORT'],
    ['CLAVIGER_HOST_FILE', 'CLAVIGER_HOST'],
  ])('%s is refused in the environment with %s', (given, meant) => {
    expect(refusalOf({ env: { [given]: 'x' } })).toBe(
      `${given} in the environment is no setting of Claviger. Did you mean ${meant}?`,
    )
  })

  it('is refused in a file', () => {
    expect(refusalOf({ file: '{"prot": 1}' })).toContain('Did you mean "port"?')
    expect(refusalOf({ file: '{"CLAVIGER_PORT": 1}' })).toContain('is no setting')
    expect(refusalOf({ file: '{"__proto__": {}}' })).toContain('is no setting')
  })

  it('is refused as a flag', async () => {
    expect(refusalOf({ flags: { prot: '1' } })).toContain('Did you mean --port?')
    const { code, err } = await terminal().claviger('serve', '--prot', '1')
    expect({ code, err }).toEqual({
      code: 2,
      err: '--prot is no option of `claviger serve`. Did you mean --port? All: claviger serve --help\n',
    })
  })

  it('is none of our business without the prefix', () => {
    expect(readConfig({ env: { PORT: 'x', claviger_port: 'x', MY_CLAVIGER_PORT: 'x' } }).config.port).toBe(8484)
  })
})

it('leaves a key that people keep for their clients alone, and only under that name', () => {
  expect(readConfig({ env: { CLAVIGER_KEY: 'clv_live_x' } }).config).toEqual(readConfig({}).config)
  expect(() => readConfig({ env: { CLAVIGER_KEYS: 'x' } })).toThrow('CLAVIGER_KEYS')
})

describe('what Kubernetes injects for a service of this name', () => {
  it.each([
    ['CLAVIGER_SERVICE_HOST', '10.96.0.7'],
    ['CLAVIGER_SERVICE_PORT', '8484'],
    ['CLAVIGER_SERVICE_PORT_HTTP', '8484'],
    ['CLAVIGER_PORT', 'tcp://10.96.0.7:8484'],
    ['CLAVIGER_PORT_8484_TCP', 'tcp://10.96.0.7:8484'],
    ['CLAVIGER_PORT_8484_TCP_PROTO', 'tcp'],
    ['CLAVIGER_PORT_8484_TCP_PORT', '8484'],
    ['CLAVIGER_PORT_8484_TCP_ADDR', '10.96.0.7'],
    ['CLAVIGER_METRICS_SERVICE_HOST', '10.96.0.8'],
    ['CLAVIGER_METRICS_PORT', 'udp://10.96.0.8:9'],
    ['CLAVIGER_METRICS_PORT_9_UDP_ADDR', '10.96.0.8'],
  ])('%s is ignored', (name, value) => {
    expect(readConfig({ env: { [name]: value } })).toEqual(readConfig({}))
  })

  it('leaves a port that a person set', () => {
    expect(readConfig({ env: { CLAVIGER_PORT: '9000', CLAVIGER_PORT_8484_TCP_PORT: '1' } }).config.port).toBe(9000)
    expect(refusalOf({ env: { CLAVIGER_PORT: 'http://10.96.0.7' } })).toContain('CLAVIGER_PORT is')
    expect(refusalOf({ env: { CLAVIGER_METRICS_PORT: '9090' } })).toContain('is no setting')
  })
})

describe('a file beside the variable', () => {
  it.each(SECRETS)('holds %s', (name) => {
    const path = join(folder, name)
    writeFileSync(path, `${VALUES[name].good[1]}\n`)
    expect(valueIn(name, { env: { [`${envName(name)}_FILE`]: path } })).toBe(VALUES[name].good[1])
    expect(valueIn(name, { env: { [`${envName(name)}_FILE`]: path, [envName(name)]: '' } })).toBe(VALUES[name].good[1])
  })

  it.each(SECRETS)('is refused together with %s itself', (name) => {
    const env = { [`${envName(name)}_FILE`]: '/somewhere', [envName(name)]: VALUES[name].good[0] }
    expect(refusalOf({ env })).toBe(`${envName(name)}_FILE and ${envName(name)} are both set. Keep one of them.`)
  })

  it('is refused when it cannot be read, or holds nothing', () => {
    const missing = join(folder, 'missing')
    expect(refusalOf({ env: { CLAVIGER_SECRET_FILE: missing } })).toBe(
      `CLAVIGER_SECRET_FILE names ${missing}, which cannot be read (ENOENT). Check the path and its permissions.`,
    )
    expect(refusalOf({ env: { CLAVIGER_SECRET_FILE: folder } })).toContain('EISDIR')
    const empty = join(folder, 'empty')
    writeFileSync(empty, '\n')
    for (const name of SECRETS) expect(refusalOf({ env: { [`${envName(name)}_FILE`]: empty } })).toContain('not usable')
  })

  it('exists for secrets alone', () => {
    for (const name of NAMES.filter((one) => !SECRETS.includes(one)))
      expect(refusalOf({ env: { [`${envName(name)}_FILE`]: '/x' } })).toContain('is no setting')
  })
})

describe('the configuration file', () => {
  it('writes lists as lists and switches as switches', () => {
    const file =
      '{"trusted_proxies": ["10.0.0.0/8", "::1"], "docs_roots": ["/a", "/b"], "port": 0, "allow_private_addresses": false, "host": null}'
    expect(readConfig({ file }).config).toMatchObject({
      trusted_proxies: ['10.0.0.0/8', '::1'],
      docs_roots: ['/a', '/b'],
      port: 0,
      allow_private_addresses: false,
      host: '127.0.0.1',
    })
  })

  it.each(['', '{', '[]', '"x"', 'null', '1'])('must be a JSON object: %j', (file) => {
    expect(refusalOf({ file })).toMatch(/^The configuration file .*such as \{"port": 8484\}\.$/)
  })

  it('is named by --config', async () => {
    const path = join(folder, 'claviger.json')
    writeFileSync(path, '{"port": 1234}')
    const { out } = await terminal().claviger('config', 'print', '--json', '--config', path)
    expect(JSON.parse(out)).toContainEqual({ name: 'port', value: 1234, origin: 'file' })
    const missing = await terminal().claviger('config', 'print', '--config', join(folder, 'no.json'))
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('cannot be read (ENOENT)') })
  })
})

describe('secrets', () => {
  const env = Object.fromEntries(SECRETS.map((name) => [envName(name), `${VALUES[name].good[0]}-do-not-print`]))

  it('do not show in `config print`, in no form', async () => {
    for (const options of [[], ['--json']]) {
      const { code, out, err } = await terminal().type(['config', 'print', ...options], { env })
      expect(code).toBe(0)
      expect(out + err).not.toContain('do-not-print')
      expect(out).toContain('(hidden)')
    }
  })

  it('do not show in the settings, however they are printed', () => {
    const settings = readConfig({ env })
    for (const text of [
      JSON.stringify(settings),
      inspect(settings, { depth: null, showHidden: true }),
      `${settings.config.secret} ${String(settings.config.smtp_url)}`,
      JSON.stringify(describeSettings(settings)),
    ])
      expect(text).not.toContain('do-not-print')
  })

  it('do not show in the refusal of something near them', () => {
    const sentence = refusalOf({ env: { CLAVIGER_PUBLIC_URL: 'https://ana:do-not-print@example.com' } })
    expect(sentence).not.toContain('do-not-print')
    expect(refusalOf({ env: { CLAVIGER_SECRET: 'do-not-print' } })).not.toContain('do-not-print')
  })

  it('are no flags, which a process list would show', () => {
    const options = COMMANDS.flatMap((command) => Object.keys(command.options ?? {}))
    for (const name of SECRETS) expect(options).not.toContain(name.replaceAll('_', '-'))
  })
})

it('warns of what is set without effect', () => {
  const later = NAMES.filter((name) => VARIABLES[name].notYet)
  const env = Object.fromEntries(NAMES.map((name) => [envName(name), VALUES[name].good[0]]))
  expect(readConfig({ env }).warnings).toEqual(
    later.map((name) => `${envName(name)} is set, but this version does nothing with it yet.`),
  )
  expect(readConfig({}).warnings).toEqual([])
})

it('marks exactly what no code asks for as without effect', async () => {
  const code = [...new Bun.Glob('**/*.ts').scanSync(join(import.meta.dirname, '../src'))]
    .filter((file) => file !== 'config.ts')
    .map((file) => readFileSync(join(import.meta.dirname, '../src', file), 'utf8'))
    .join('\n')
  for (const name of NAMES)
    expect([name, new RegExp(`config\\.${name}\\b|\\b${name}[,:} ].*= (settings\\.)?config\\b`).test(code)]).toEqual([
      name,
      !VARIABLES[name].notYet,
    ])
})

it.each(['README.md', 'docs/configuration.md'])('is what %s says', (page) => {
  const rows = readFileSync(join(import.meta.dirname, '..', page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `CLAVIGER_'))
  expect(rows).toEqual(
    NAMES.map((name) => {
      const { fallback, about, secret, notYet } = VARIABLES[name]
      const given =
        fallback === null || (Array.isArray(fallback) && fallback.length === 0) ? '' : `\`${shown(fallback)}\``
      const notes = [about, secret && `Also \`${envName(name)}_FILE\`.`, notYet && '*Without effect yet.*']
      return `| \`${envName(name)}\` | ${given} | ${notes.filter(Boolean).join(' ')} |`.replace('|  |', '| |')
    }),
  )
})

function shown(fallback: unknown): string {
  return fallback === true ? 'on' : String(fallback)
}
