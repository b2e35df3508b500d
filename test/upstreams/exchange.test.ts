import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { httpExchange, TooLarge } from '../../src/upstreams/exchange.ts'
import { addressGuard } from '../../src/upstreams/guard.ts'
import { eventStream, serve } from './serving.ts'

const target = (url: string) => ({ kind: 'http' as const, url, headers: {} })
const guard = addressGuard({ allowPrivate: true })
const signal = new AbortController().signal

describe('an exchange', () => {
  it('sends what it is given and hands the answer over unread', async () => {
    const { url, seen } = serve(() => new Response('{"a" :1}', { status: 400, headers: { 'X-Kept': 'yes' } }))
    const ask = httpExchange(target(url), { environment: {}, guard })
    const answer = await ask({
      body: '{ "b":2}',
      headers: { 'Mcp-Method': 'tools/call', 'Mcp-Param-City': 'Bern' },
      signal,
    })
    expect([answer.status, answer.header('x-kept')]).toEqual([400, 'yes'])
    const pieces: Uint8Array[] = []
    await answer.read((piece) => pieces.push(piece))
    expect(Buffer.concat(pieces).toString()).toBe('{"a" :1}')
    expect(seen[0]).toMatchObject({ method: 'POST', text: '{ "b":2}' })
    expect(seen[0]!.headers.get('mcp-param-city')).toBe('Bern')
  })

  it('passes events on as they come', async () => {
    const more = Promise.withResolvers<void>()
    const { url } = serve(() =>
      eventStream((say, end) => {
        say('data: 1\n\n')
        more.promise.then(() => {
          say('data: 2\n\n')
          end()
        })
      }),
    )
    const answer = await httpExchange(target(url), { environment: {}, guard })({ body: '{}', signal })
    const pieces: string[] = []
    await answer.read((piece) => {
      pieces.push(new TextDecoder().decode(piece))
      more.resolve() // the second comes only once the first was heard
    })
    expect(pieces).toEqual(['data: 1\n\n', 'data: 2\n\n'])
  })

  it('stops reading beyond the limit, but not in a stream of events', async () => {
    const large = 'x'.repeat(100_000)
    const { url } = serve(({ headers }) =>
      headers.has('x-stream')
        ? eventStream((say, end) => {
            say(`data: ${large}\n\n`)
            end()
          })
        : new Response(large),
    )
    const ask = httpExchange(target(url), { environment: {}, guard, limitBytes: 10_000 })
    await expect((await ask({ body: '', signal })).read(() => {})).rejects.toThrow(TooLarge)
    const answer = await ask({ body: '', signal })
    await expect(Promise.try(() => answer.text())).rejects.toThrow(TooLarge) // whether or not it is whole already
    let size = 0
    await (await ask({ body: '', headers: { 'X-Stream': '1' }, signal })).read((piece) => {
      size += piece.length
    })
    expect(size).toBe(large.length + 8)
  })

  it('waits for the reader when the reader is slow', async () => {
    const { url } = serve(() => new Response('x'.repeat(1_000_000)))
    const answer = await httpExchange(target(url), { environment: {}, guard })({ body: '', signal })
    let reading = 0
    await answer.read(async () => {
      expect(++reading).toBe(1)
      await Promise.resolve()
      reading--
    })
  })
})

describe('a name', () => {
  it('is asked where somebody answered last, by many calls at once as by one', async () => {
    const { port, seen } = serve(() => new Response('{}'))
    const at = (address: string) => ({ href: `http://${address}:${port}/mcp`, host: 'wiki.example', serverName: null })
    for (const many of [1, 2, 5]) {
      const [dead, alive, deadToo] = [at('127.0.0.2'), at('127.0.0.1'), at('127.0.0.3')]
      const destinations = [dead, deadToo, alive]
      const ask = httpExchange(target('http://wiki.example/mcp'), { environment: {}, guard: () => destinations })
      const asked = await Promise.all(Array.from({ length: many }, () => ask({ body: '{}', signal })))
      expect(asked.map(({ status }) => status)).toEqual(Array(many).fill(200))
      expect(destinations[0]).toBe(alive)
      expect(new Set(destinations).size).toBe(3)
      for (const answer of asked) answer.cancel()
    }
    expect(seen).toHaveLength(8)
  })

  it('is resolved once for many calls, and connected to as it was checked', async () => {
    const { port, seen } = serve(() => new Response('{}'))
    let lookups = 0
    const lookup = async () => [lookups++ === 0 ? '127.0.0.1' : '169.254.169.254']
    const ask = httpExchange(target(`http://wiki.example:${port}/mcp`), {
      environment: {},
      guard: addressGuard({ allowPrivate: true, lookup }),
    })
    for (let i = 0; i < 3; i++) expect((await ask({ body: '{}', signal })).status).toBe(200)
    expect((await ask({ method: 'GET', signal })).status).toBe(200)
    expect(new Set(seen.map(({ headers }) => headers.get('host')))).toEqual(new Set([`wiki.example:${port}`]))
    expect(lookups).toBe(1)
  })

  it('is tried at its other addresses when one accepts nothing', async () => {
    const { port, seen } = serve(() => new Response('{}'))
    const lookup = async () => ['127.0.0.2', '127.0.0.1'] // the server listens on the second alone
    const ask = httpExchange(target(`http://wiki.example:${port}/`), {
      environment: {},
      guard: addressGuard({ allowPrivate: true, lookup }),
    })
    expect((await ask({ body: '{}', signal })).status).toBe(200)
    expect(seen).toHaveLength(1)
  })

  it('never leads where it must not', async () => {
    const lookup = async () => ['169.254.169.254']
    const ask = httpExchange(target('http://wiki.example/'), {
      environment: {},
      guard: addressGuard({ allowPrivate: true, lookup }),
    })
    await expect(ask({ body: '{}', signal })).rejects.toMatchObject({ failure: { stage: 'connect', unsent: true } })
  })

  it('must be in the certificate, for each name that shares an address', () => {
    const dir = certificatesFor('a.test', 'b.test', 'expired.test')
    const program = join(import.meta.dirname, 'fakes/tls.ts')
    const said = execFileSync(process.execPath, [program, dir], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(dir, 'all.crt') },
    })
    const refused = expect.stringMatching(/certificate is not accepted/)
    expect(JSON.parse(said.toString())).toEqual({
      said: {
        'a.test': 'a.test',
        'b.test': 'b.test',
        'c.test': refused,
        'expired.test': refused,
      },
      connections: { a: 1, b: 1 }, // each used again, and never for the other name
      isWhole: true,
      heard: 'data: 1\n\n',
      left: 'left',
    })
  })

  it('must be vouched for by somebody we trust', async () => {
    const dir = certificatesFor('localhost')
    const tls = { cert: readFileSync(join(dir, 'localhost.crt')), key: readFileSync(join(dir, 'localhost.key')) }
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, tls, fetch: () => new Response('secret') })
    onTestFinished(() => server.stop(true))
    const ask = httpExchange(target(`https://localhost:${server.port}/`), { environment: {}, guard })
    await expect(ask({ body: '{}', signal })).rejects.toMatchObject({
      failure: { message: expect.stringMatching(/certificate is not accepted/), unsent: true },
    })
  })
})

/** Self-signed and good for a century, or since 2020 no more: nothing has to be installed to make them. */
function certificatesFor(...names: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'claviger-tls-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const made = join(import.meta.dirname, 'certificates')
  for (const name of names)
    for (const part of ['key', 'crt']) copyFileSync(join(made, `${name}.${part}`), join(dir, `${name}.${part}`))
  writeFileSync(join(dir, 'all.crt'), names.map((name) => readFileSync(join(dir, `${name}.crt`), 'utf8')).join(''))
  return dir
}
