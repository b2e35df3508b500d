import { randomInt } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { activityBeside } from '../src/store/activity-file.ts'
import { databaseFile } from '../src/store/data-dir.ts'
import { PASSWORD, terminal } from './cli/terminal.ts'
import { mayMount, mounting } from './support/executable.ts'
import { jsonOf } from './support/json.ts'
import { command, finished, serving } from './support/process.ts'

const MANAGER = ['--scope', 'mcp:*', '--scope', 'keys:read', '--scope', 'keys:write', '--scope', 'audit:read']
const canMount = await mayMount()

async function managed() {
  const shell = terminal()
  expect((await shell.user('ana@example.com', '--owner')).code).toBe(0)
  const { key } = await shell.json('keys', 'create', '--name', 'manager', ...MANAGER)
  return { ...shell, manager: key as string }
}

function client(origin: string, key: string) {
  const send = (method: string, path: string, body?: unknown) =>
    fetch(`${origin}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  return {
    get: (path: string) => send('GET', path),
    post: (path: string, body: unknown = {}) => send('POST', path, body),
  }
}

/** A call that is refused, and so leaves a line. */
function callNothing(origin: string, key: string) {
  const body = JSON.stringify({ mcp_id: 'nothing', tool: 'x', arguments: {} })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return fetch(`${origin}/mcp`, { method: 'POST', headers, body })
}

function integrityOf(file: string): unknown {
  const connection = new Database(file)
  const said = connection.pragma('integrity_check', { simple: true })
  connection.close()
  return said
}

it('keeps every change that was answered, however often it is killed', { timeout: 60_000 }, async () => {
  const { dataDir, manager, claviger } = await managed()
  const issued = new Map<string, string>()
  const revoked = new Set<string>()
  const ROUNDS = 6

  async function write(origin: string) {
    const { post } = client(origin, manager)
    for (;;) {
      const made = await post('/keys', { name: 'one' })
      if (made.status !== 201) return expect(made.status).toBe(201)
      const { id, key } = await jsonOf(made)
      issued.set(id, key)
      if (issued.size % 2 === 0 && (await post(`/keys/${id}/revoke`)).ok) revoked.add(id)
    }
  }

  for (let round = 0; round < ROUNDS; round++) {
    const { server, origin } = await serving(dataDir)
    const before = issued.size
    const writers = Promise.allSettled(Array.from({ length: 4 }, () => write(origin)))
    await expect.poll(() => issued.size, { interval: 1, timeout: 10_000 }).toBeGreaterThan(before + randomInt(5, 60))
    server.kill('SIGKILL')
    await server.exited
    for (const writer of await writers)
      expect(writer).toMatchObject({
        status: 'rejected',
        reason: expect.not.objectContaining({ name: 'AssertionError' }),
      })
  }

  expect(integrityOf(databaseFile(dataDir))).toBe('ok')
  expect(await claviger('audit', 'verify')).toMatchObject({ code: 0, err: '' })
  const { origin, stop } = await serving(dataDir)
  for (const [id, key] of issued) {
    const status = (await client(origin, key).get('/whoami')).status
    if (revoked.has(id)) expect([id, status]).toEqual([id, 401])
    else expect([id, [200, 401].includes(status)]).toEqual([id, true]) // a revocation may have come to pass unanswered
  }
  const alive = await Promise.all(
    [...issued]
      .filter(([id]) => !revoked.has(id))
      .slice(0, 20)
      .map(([, key]) => client(origin, key).get('/whoami')),
  )
  expect(alive.some(({ status }) => status === 200)).toBe(true)
  expect(issued.size).toBeGreaterThan(ROUNDS * 5)
  expect(revoked.size).toBeGreaterThan(0)
  expect((await stop()).code).toBe(0)
})

it.each([
  ['revoke', 'revoked_key'],
  ['disable', 'disabled_key'],
])('remembers to %s a key, killed right after the answer', async (verb, code) => {
  const { dataDir, manager, json } = await managed()
  const { id, key } = await json('keys', 'create', '--name', 'one')
  const first = await serving(dataDir)
  expect((await client(first.origin, key).get('/whoami')).status).toBe(200)
  expect((await client(first.origin, manager).post(`/keys/${id}/${verb}`)).status).toBe(200)
  first.server.kill('SIGKILL')
  await first.server.exited
  const { origin, stop } = await serving(dataDir)
  const answer = await client(origin, key).get('/whoami')
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([401, code])
  await stop()
})

describe('the lines of calls', () => {
  async function calling(origin: string, key: string, made: { answered: number }) {
    for (;;) {
      const answer = await callNothing(origin, key)
      if (answer.status !== 403) return expect(answer.status).toBe(503)
      made.answered++
    }
  }

  function written(dataDir: string): number {
    const connection = new Database(activityBeside(databaseFile(dataDir)))
    const count = connection.prepare('select count(*) from call').pluck().get() as number
    connection.close()
    return count
  }

  it('that are written survive every kill, in a file that is whole and read by commands meanwhile', async () => {
    const { dataDir, json } = await managed()
    const { key } = await json('keys', 'create', '--name', 'caller', '--rate', '1000000')
    const file = activityBeside(databaseFile(dataDir))
    let kept = 0
    for (let round = 0; round < 4; round++) {
      const { server, origin } = await serving(dataDir)
      const made = { answered: 0 }
      const callers = Promise.allSettled(Array.from({ length: 4 }, () => calling(origin, key, made)))
      await expect.poll(() => existsSync(file) && written(dataDir), { timeout: 20_000 }).toBeGreaterThan(kept + 50)
      kept = written(dataDir)
      expect((await json('keys', 'impact', 'caller')).calls_24h).toBeGreaterThanOrEqual(kept)
      server.kill('SIGKILL')
      await server.exited
      await callers
      expect(integrityOf(file)).toBe('ok')
      expect(written(dataDir)).toBeGreaterThanOrEqual(kept)
    }
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
  })

  it('are all there after SIGTERM', async () => {
    const { dataDir, json } = await managed()
    const { key } = await json('keys', 'create', '--name', 'caller', '--rate', '1000000')
    const { server, origin } = await serving(dataDir)
    const made = { answered: 0 }
    const callers = Promise.allSettled(Array.from({ length: 4 }, () => calling(origin, key, made)))
    await expect.poll(() => made.answered, { timeout: 20_000 }).toBeGreaterThan(200)
    server.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    await callers
    expect(written(dataDir)).toBeGreaterThanOrEqual(made.answered)
  })
})

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('ends the server with exit code 0, whatever is open', async () => {
    const { dataDir, manager } = await managed()
    const { server, origin } = await serving(dataDir)
    expect((await client(origin, manager).get('/whoami')).status).toBe(200)
    server.kill(signal)
    expect(await server.exited).toBe(0)
    expect(integrityOf(databaseFile(dataDir))).toBe('ok')
  })
})

describe('a data directory that cannot be used', () => {
  const oneLine = (says: RegExp) => ({
    code: 1,
    out: '',
    err: expect.stringMatching(new RegExp(`^[^\n]*${says.source}[^\n]*\n$`)),
  })

  const CREATE = 'users create --email ana@example.com --owner --password-file -'

  it.each(['serve --port 0', CREATE])('is said so in one line: a file in its place (%s)', async (words) => {
    const said = await inFolder(terminal().file('data', ''), words.split(' '), [])
    expect(said).toMatchObject(oneLine(/The data directory .* cannot be written \(EEXIST\)\. Name one/))
  })

  it('is said so in one line: a database that is none', async () => {
    const { dataDir } = await managed()
    writeFileSync(databaseFile(dataDir), 'not a database, though long enough to be taken for one. '.repeat(50))
    expect(await command(dataDir, 'serve', '--port', '0')).toMatchObject(oneLine(/is no database/))
  })

  it('is said so in one line: a secret that is gone', async () => {
    const { dataDir } = await managed()
    rmSync(join(dataDir, 'secret'))
    expect(await command(dataDir, 'serve', '--port', '0')).toMatchObject(
      oneLine(/but not the secret its keys are hashed under/),
    )
  })

  it.each(['serve --port 0', CREATE])('is said so in one line: one that may only be read (%s)', async (words) => {
    const { dataDir } = terminal()
    mkdirSync(dataDir, { recursive: true })
    chmodSync(dataDir, 0o500)
    // root may write whatever the mode says; a mount binds root too, and where neither holds a folder of the kernel's does
    const prefix = canMount ? mounting(dataDir, 'ro') : []
    const where = canMount || process.getuid?.() !== 0 ? dataDir : '/proc/claviger'
    const said = await inFolder(where, words.split(' '), prefix)
    expect(said).toMatchObject(oneLine(/cannot be (written|made)/))
  })

  it('is said so in one line: one without room', async () => {
    const { dataDir } = terminal()
    mkdirSync(dataDir, { recursive: true })
    const said = await inFolder(dataDir, CREATE.split(' '), narrow(dataDir, 64))
    expect(said).toMatchObject(oneLine(/./))
    expect(said.err).toMatch(/full|room|large|I\/O/)
  })
})

describe('a disk that is full', () => {
  it('refuses changes, keeps answering, and loses nothing', { timeout: 60_000 }, async () => {
    const shell = terminal()
    const { dataDir } = shell
    mkdirSync(dataDir, { recursive: true })
    const script = `"$1" users create --email ana@example.com --owner --password-file "$2" >&2 && "$1" keys create --name manager ${MANAGER.map((one) => `'${one}'`).join(' ')} && exec "$1" serve --port 0`
    const program = shell.file('claviger', `#!/bin/sh\nexec '${process.execPath}' --no-env-file '${MAIN}' "$@"\n`)
    chmodSync(program, 0o755)
    const child = spawn(dataDir, [
      ...narrow(dataDir, 1400),
      '/bin/sh',
      '-c',
      script,
      'sh',
      program,
      shell.file('password', PASSWORD),
    ])
    const said = reading(child)
    await expect.poll(() => said.text, { timeout: 20_000 }).toContain('Claviger is ready')
    const [manager] = said.text.split('\n')
    const origin = /"url":"([^"]+)"/.exec(said.text)![1]!
    const { get, post } = client(origin, manager!)

    const issued: string[] = []
    let refused = 0
    while (refused === 0 && issued.length < 2000) {
      const made = await post('/keys', { name: 'one', description: 'x'.repeat(400) })
      if (made.status === 201) issued.push((await jsonOf(made)).key)
      else refused = made.status
    }
    expect(refused).toBe(500)
    expect(issued.length).toBeGreaterThan(0)
    expect((await get('/keys?limit=5')).status).toBe(200)
    for (const key of issued.slice(-5)) expect((await client(origin, key).get('/whoami')).status).toBe(200)
    const verified = await get('/audit/verify')
    expect([verified.status, await jsonOf(verified)]).toEqual([200, expect.objectContaining({ ok: true })])
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
    await callNothing(origin, issued[0]!)
    if (canMount) await expect.poll(() => said.text, { timeout: 20_000 }).toContain('could not be written; it is tried')
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
  })
})

const MAIN = join(import.meta.dirname, '../src/main.ts')

/** A prefix under which the folder has room for so many kilobytes only. */
function narrow(dataDir: string, kilobytes: number): string[] {
  return canMount
    ? mounting(dataDir, `size=${kilobytes}k`)
    : ['/bin/sh', '-c', `trap '' XFSZ; ulimit -f ${Math.floor(kilobytes / 2)}; exec "$@"`, 'sh'] // no file larger than that
}

function spawn(dataDir: string, argv: string[]) {
  const { PATH = '', HOME = '' } = process.env
  return Bun.spawn(argv, {
    env: { PATH, HOME, CLAVIGER_DATA_DIR: dataDir },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

function inFolder(dataDir: string, argv: string[], prefix: string[]) {
  const child = spawn(dataDir, [...prefix, process.execPath, '--no-env-file', MAIN, ...argv])
  child.stdin.write(`${PASSWORD}\n`)
  child.stdin.end()
  return finished(child)
}

function reading(child: ReturnType<typeof spawn>) {
  const said = { text: '' }
  void (async () => {
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) said.text += piece
  })()
  return said
}
