import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hintOf, newFullKey } from '../src/core/keys/format.ts'
import { newToken, Secret } from '../src/core/secret.ts'
import { createLog, type Fields, scrub } from '../src/log.ts'
import { start } from './support/start.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void, pretty = false): string {
  const lines: string[] = []
  write(
    createLog({ level: 'debug', pretty, write: (line) => void lines.push(line), now: () => new Date('2026-06-01') }),
  )
  return lines.join('')
}

const both = (write: (log: ReturnType<typeof createLog>) => void) => logged(write) + logged(write, true)

describe('a line', () => {
  it('is JSON on a pipe, beginning with what a person looks for', () => {
    const line = logged((log) => log.with({ request_id: 'req_1' }).info('Ready', { url: 'http://x', count: 3 }))
    expect(line).toBe(
      '{"time":"2026-06-01T00:00:00.000Z","level":"info","message":"Ready","request_id":"req_1","url":"http://x","count":3}\n',
    )
  })

  it('is readable on a terminal', () => {
    const line = logged((log) => log.warn('Careful', { who: 'ana', all: ['a', 'b'] }), true)
    expect(Bun.stripANSI(line)).toBe("00:00:00 warn  Careful who=ana all=[ 'a', 'b' ]\n")
  })

  it('is left out below the level', () => {
    const lines: string[] = []
    const log = createLog({ level: 'warn', write: (line) => void lines.push(line) })
    log.debug('no')
    log.info('no')
    log.warn('yes')
    log.error('yes')
    expect(lines).toHaveLength(2)
  })

  it('cannot be forged by its fields', () => {
    const line = logged((log) =>
      log
        .with({ request_id: 'req_1' })
        .error('true', { level: 'info', message: 'false', time: 'x', request_id: 'req_2' }),
    )
    expect(JSON.parse(line)).toMatchObject({ level: 'error', message: 'true', request_id: 'req_1' })
  })

  it('tells all of an error', () => {
    class Odd extends Error {
      override name = 'Odd'
      code = 'E_ODD'
    }
    const error = new Odd('outer', { cause: new AggregateError([new Error('one'), new Error('two')], 'inner') })
    const line = JSON.parse(logged((log) => log.error('Unexpected error', { error })))
    expect(line.error).toMatchObject({
      name: 'Odd',
      message: 'outer',
      code: 'E_ODD',
      cause: { message: 'inner', errors: [{ message: 'one' }, { message: 'two' }] },
    })
    expect(line.error.stack).toContain('log.test.ts')
  })

  it('is written whatever it is given', () => {
    const round: Fields = { name: 'round' }
    round.self = round
    const error = new Error('its own cause')
    error.cause = error
    const deep = Array.from({ length: 100_000 }).reduce<object>((inner) => ({ inner }), {})
    const hostile = {
      get boom() {
        throw new Error('no')
      },
    }
    const line = JSON.parse(
      logged((log) => log.info('x', { round, error, deep, big: 1n, none: undefined, date: new Date(Number.NaN) })),
    )
    expect(line).toMatchObject({
      round: { self: '[seen above]' },
      error: { cause: '[seen above]' },
      big: '1',
      date: null,
    })
    expect(JSON.parse(logged((log) => log.info('x', { hostile })))).toMatchObject({
      message: 'x',
      fields: '[unreadable]',
    })
  })

  it('shows the same thing twice where it is met twice', () => {
    const shared = { a: 1 }
    expect(JSON.parse(logged((log) => log.info('x', { one: shared, two: shared })))).toMatchObject({
      one: { a: 1 },
      two: { a: 1 },
    })
  })
})

describe('a secret', () => {
  const brand = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/)
  const fullKey = fc
    .tuple(brand, fc.constantFrom('live' as const, 'test' as const))
    .map(([brand, environment]) => newFullKey(brand, environment).reveal())
  const token = fc
    .constantFrom('setup' as const, 'session' as const, 'invite' as const)
    .map((kind) => newToken(kind).reveal())
  const own = fc.oneof(fullKey, token)

  /** What must not survive: more than the hint shows. */
  const coreOf = (secret: string) => secret.slice(-40, -8)

  const around = fc.constantFrom<(secret: string) => string>(
    (s) => s,
    (s) => `Bearer ${s}`,
    (s) => `{"key":"${s}"}`,
    (s) => JSON.stringify(JSON.stringify({ a: [s] })),
    (s) => `KEY_${s}_X`,
    (s) => `9${s}`,
    (s) => `\n${s}\t`,
    (s) => `https://example.com/mcp?api_key=${s}&b=1#x`,
    (s) => `/mcp/${s}/x`,
    (s) => `/mcp?next=${encodeURIComponent(`/a?b=${s}`)}`,
    (s) => encodeURIComponent(encodeURIComponent(`=${s}&`)),
    (s) => percent(s),
    (s) => percent(`api_key=${s}`),
    (s) => `'${s}', “${s}”, <${s}>`,
    (s) => `ключ${s}ключ`,
  )

  const within = fc.constantFrom<(text: string) => Fields>(
    (text) => ({ text }),
    (text) => ({ [text]: 1 }),
    (text) => ({ a: { b: [{ c: text }] } }),
    (text) => ({ error: new Error(text) }),
    (text) => ({ error: new Error('x', { cause: new TypeError(text) }) }),
    (text) => ({ error: Object.assign(new Error('x'), { response: { headers: { 'x-custom': text } }, code: text }) }),
    (text) => ({ error: new AggregateError([new Error(text)]) }),
    (text) => ({ map: new Map([[text, text]]), set: new Set([text]) }),
    (text) => ({ buffer: Buffer.from(text), bytes: new TextEncoder().encode(text) }),
    (text) => ({ url: URL.parse(`http://x/?q=${text}`), headers: new Headers([['x-some', encodeURI(text)]]) }),
    (text) => ({ secret: new Secret(text), held: new Secret(text), list: [new Secret(text)] }),
    (text) => ({ odd: { toJSON: () => text } }),
  )

  it('survives nowhere in a line, whatever it hides in', () => {
    fc.assert(
      fc.property(own, around, within, (secret, wrap, hide) => {
        const text = wrap(secret)
        const lines = both((log) => {
          log.info(text)
          log.with(hide(text)).error('x', hide(text))
        })
        for (const line of lines.split('\n').slice(0, 2)) expect(JSON.parse(line)).toHaveProperty('time')
        for (const form of [lines, thrice(lines)]) expect(form).not.toContain(coreOf(secret))
        expect(lines).not.toContain(Buffer.from(secret).toString('base64').slice(0, 30))
        expect(lines).not.toContain([...Buffer.from(secret)].slice(0, 8).join(','))
      }),
      { numRuns: 600 },
    )
  })

  const foreign = fc.stringMatching(/^[A-Za-z0-9_.~-]{12,40}$/).map((text) => `zq9${text}`)

  it.each<[string, (secret: string) => string]>([
    ['Authorization of any scheme', (s) => `Authorization: Token ${s}`],
    ['a header pair', (s) => `{"Authorization":"Bearer ${s}"}`],
    ['Basic', (s) => `authorization: basic ${s}`],
    ['ApiKey in quotes', (s) => `ApiKey "${s}"`],
    ['X-API-Key', (s) => `x-api-key: ${s}`],
    ['a cookie', (s) => `Cookie: a=1; session=${s}`],
    ['api_key', (s) => `/mcp?api_key=${s}`],
    ['API_KEY', (s) => `/mcp?x=1&API_KEY=${s}`],
    ['an escaped name', (s) => `/mcp?%61pi%5Fkey=${s}`],
    ['a twice escaped name', (s) => `/mcp?%2561pi_key=${s}`],
    ['a repeated name', (s) => `/mcp?api_key=a&api_key=${s}`],
    ['a fragment', (s) => `/mcp#api_key=${s}`],
    ['semicolons', (s) => `/mcp?a=1;api_key=${s};b=2`],
    ['a token in a query', (s) => `https://up.example/mcp?token=${s}`],
    ['an access token in a query', (s) => `https://up.example/mcp?a=b&access_token=${s}`],
    ['a URL password', (s) => `postgres://ana:${s}@db.example/x`],
    ['a URL password with a sign in it', (s) => `redis://:p@ss:${s}@db.example:6379`],
    ['a URL user', (s) => `https://${s}@git.example/x.git`],
    ['JSON in a text', (s) => `failed with {"api_key": "${s}"}`],
    ['JSON in JSON', (s) => JSON.stringify({ text: JSON.stringify({ api_key: s }) })],
  ])('of others is cut: %s', (_what, wrap) => {
    fc.assert(
      fc.property(foreign, (secret) => {
        const text = wrap(secret)
        const lines = both((log) => log.info(text, { text, error: new Error(text) }))
        expect(lines).not.toContain(secret.slice(0, 12))
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ...['authorization', 'Cookie', 'set-cookie', 'x-api-key', 'apiKey', 'api_key', 'key', 'full_key', 'password'],
    ...['current_password', 'secret', 'clientSecret', 'token', 'access_token', 'metricsToken', 'credentials'],
  ])('is hidden by its name: %s', (name) => {
    const lines = both((log) => log.info('x', { [name]: 'hunter2 and more', deep: [{ [name]: { any: 'hunter2' } }] }))
    expect(lines).not.toContain('hunter2')
    expect(lines).toContain(name)
  })

  it('held as one can be printed by nobody', () => {
    const secret = new Secret('hunter2')
    const printed = [
      String(secret),
      `${secret}`,
      `${secret as unknown as string}`.concat(secret as unknown as string),
      JSON.stringify({ secret, list: [secret] }),
      inspect(secret, { showHidden: true, depth: null }),
      Bun.inspect({ secret }),
      inspect({ ...secret }),
      JSON.stringify(Object.getOwnPropertyNames(secret)),
      new Error('x', { cause: secret }).toString(),
      JSON.stringify(structuredClone({ ...secret })),
    ]
    expect(printed.join('\n')).not.toContain('hunter2')
    expect(printed[0]).toBe('[secret]')
    expect(secret.reveal()).toBe('hunter2')
  })

  it('is cut to its hint, which stays readable', () => {
    fc.assert(
      fc.property(fullKey, (key) => {
        const hint = hintOf(key)
        expect(scrub(`used ${key} today`)).toBe(`used ${hint} today`)
        expect(scrub(hint)).toBe(hint)
      }),
    )
  })
})

it.each([
  'Claviger is ready',
  'http://127.0.0.1:8484/admin?next=%2Fadmin%2Fkeys',
  'key_0mbq3xk2pfd0a1b2c3d4e5f6a7b8c9 was disabled by ana@example.com',
  'The tool github__create_issue of mcp:docs:search',
  '100% of 5 calls; 3 tokens, no secret',
  'see https://example.com/@ana and mailto:ana@example.com',
])('leaves alone: %s', (text) => {
  expect(scrub(text)).toBe(text)
})

it('takes a long text in no time', () => {
  const startedAt = performance.now()
  for (const piece of ['a', 'a.', 'a%41', 'api_key ', '://', 'Bearer ', 'a_live_', '%', 'authorization:', '"\\'])
    scrub(piece.repeat(200_000 / piece.length))
  expect(performance.now() - startedAt).toBeLessThan(3000)
})

describe('injection', () => {
  const nasty = fc
    .array(
      fc.constantFrom(
        '\n',
        '\r',
        '\x1b[2J',
        '\x1b]0;x\x07',
        '\u009b31m',
        '\u2028',
        '\u2029',
        '\u202e',
        '\x7f',
        '\0',
        '"}',
        '\\',
        'a',
      ),
      { minLength: 1, maxLength: 12 },
    )
    .map((parts) => parts.join(''))

  it('adds no line, no colour and no turn of direction', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const line = logged((log) => log.info(text, { text, [text]: text, error: new Error(text) }))
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
        expect(JSON.parse(line)).toMatchObject({ message: text, text })
        const own = Bun.stripANSI(logged((log) => log.info(text, { text, error: new Error(text) }), true))
        expect(own.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
      }),
    )
  })

  it('drives no terminal with colours of its own', () => {
    const line = logged((log) => log.info('\x1b[31mred', { a: '\x1b[31mred' }), true)
    expect(line).not.toContain('\x1b[31m')
  })
})

describe('a request', () => {
  it('has one id on its answer and on every line about it', async () => {
    const { get, logs } = await start()
    logs.length = 0
    const answer = await get('/api/v1/whoami')
    const id = answer.headers.get('x-request-id')
    expect(id).toMatch(/^req_[0-9a-z]{20,}$/)
    expect(await answer.json()).toMatchObject({ request_id: id })
    await expect.poll(() => logs.length).toBeGreaterThan(0)
    for (const line of logs) expect(JSON.parse(line)).toMatchObject({ request_id: id })
  })

  it('leaves its key in no line', async () => {
    const { key, call, logs } = await start({ level: 'debug' })
    const { fullKey } = await key({ allowInUrl: true })
    await call('GET', '/api/v1/whoami', { key: fullKey })
    await call('GET', '/api/v1/whoami', { headers: { 'x-api-key': fullKey } })
    await call('POST', `/mcp?api_key=${fullKey}`, { body: {} })
    await call('POST', `/mcp?%61pi_key=${fullKey}`, { body: {} })
    await call('POST', `/mcp/${fullKey}`, { body: { fullKey } })
    await call('GET', `/admin/keys?next=${encodeURIComponent(fullKey)}`, { cookie: `claviger_session=${fullKey}` })
    await expect.poll(() => logs.filter((line) => line.includes('"Request"')).length).toBe(6)
    expect(logs.join('')).not.toContain(fullKey.slice(-40, -8))
  })
})

function percent(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

function thrice(text: string): string {
  return [1, 2, 3].reduce(
    (now) => now.replace(/%([0-7][0-9a-f])/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16))),
    text,
  )
}
