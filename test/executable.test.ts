import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { version } from '../package.json'
import { type Alone, alone, emptyFolder, mayMount, mounting } from './support/executable.ts'

let claviger: Alone
beforeAll(async () => {
  claviger = await alone()
}, 120_000)

const OWNER = { CLAVIGER_OWNER_EMAIL: 'ana@example.com', CLAVIGER_OWNER_PASSWORD: 'correct horse battery staple' }
const onLinux = process.platform === 'linux'
const canMount = await mayMount()

describe('without a data directory', () => {
  it.each([
    ['version', `${version}\n`],
    ['help', 'Usage: claviger COMMAND'],
    ['config print', '127.0.0.1'],
  ])('answers `%s` and leaves nothing behind', async (command, expected) => {
    const { code, stdout, stderr } = await claviger.run(command.split(' '))
    expect(stdout).toContain(expected)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(readdirSync(claviger.folder)).toEqual(['claviger'])
  })

  it('fails the health check of a server that is not there', async () => {
    const { code, stderr } = await claviger.run(['healthcheck', '--port', '1'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^http:\/\/127\.0\.0\.1:1\/readyz does not answer: .*\n$/)
  })
})

describe('serve', () => {
  it('makes its database, answers health, and stops on SIGTERM', async () => {
    const server = await claviger.serve(join(emptyFolder(), 'data'))
    const migrations = readdirSync(join(import.meta.dirname, '../src/store/migrations')).length
    expect(await server.logged('The database is up to date')).toMatchObject({ migrations })
    for (const path of ['/healthz', '/readyz']) expect((await fetch(server.url + path)).status).toBe(200)
    expect(await claviger.run(['healthcheck', '--url', `${server.url}/readyz`])).toMatchObject({ code: 0, stderr: '' })
    const { code, stdout } = await server.stop('SIGTERM')
    expect(code).toBe(0)
    expect(stdout.map((line) => JSON.parse(line).message)).toEqual([
      'The database is up to date',
      'Claviger is ready',
      'Shutting down',
      'Stopped',
    ])
  })

  it('ends with a sentence when it cannot make the owner', async () => {
    const weak = { ...OWNER, CLAVIGER_OWNER_PASSWORD: 'password' }
    const { code, stderr } = await claviger.run(['serve', '--port', '0', '--data-dir', emptyFolder()], { env: weak })
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/^Use at least 12 characters.*\n$/)
  })

  it('shows the page behind the set-up link, with its style', async () => {
    const dataDir = emptyFolder()
    const server = await claviger.serve(dataDir)
    const { stdout } = await claviger.run(['setup-url', '--data-dir', dataDir, '--public-url', server.url])
    const page = await fetch(stdout.trim())
    expect(page.status).toBe(200)
    const style = /href="(\/static\/admin\.css\?v=\w+)"/.exec(await page.text())?.[1]
    const served = await fetch(server.url + style)
    expect(served.headers.get('content-type')).toContain('text/css')
    expect(await served.text()).toBe(readFileSync(join(import.meta.dirname, '../static/admin.css'), 'utf8'))
  })

  it('writes activity in a thread of its own, which commands read meanwhile', async () => {
    const dataDir = emptyFolder()
    const server = await claviger.serve(dataDir, { env: OWNER })
    await server.logged('The owner was created')
    const command = async (...args: string[]) =>
      JSON.parse((await claviger.run([...args, '--json', '--data-dir', dataDir])).stdout)
    const { key } = await command('keys', 'create', '--name', 'laptop')
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ mcp_id: 'nothing', tool: 'x', arguments: {} })
    expect((await fetch(`${server.url}/mcp`, { method: 'POST', headers, body })).status).toBe(403)
    const impact = () => command('keys', 'impact', 'laptop')
    await expect.poll(impact, { timeout: 20_000 }).toMatchObject({ calls_24h: 1, last_used_at: expect.any(String) })
    expect(await server.stop('SIGTERM')).toMatchObject({ code: 0, stderr: expect.not.stringContaining('rror') })
    expect(await impact()).toMatchObject({ calls_24h: 1 })
  })

  it('keeps what was done when it is killed right after', async () => {
    const dataDir = emptyFolder()
    const first = await claviger.serve(dataDir, { env: OWNER })
    await first.logged('The owner was created')
    await first.stop('SIGKILL')
    const second = await claviger.serve(dataDir)
    const { stderr } = await second.stop('SIGTERM')
    expect(stderr).not.toContain('/admin/setup/')
    const listed = await claviger.run(['audit', 'list', '--instance', '--json', '--data-dir', dataDir])
    expect(JSON.parse(listed.stdout)).toContainEqual(expect.objectContaining({ action: 'instance.set_up' }))
    expect(await claviger.run(['audit', 'verify', '--data-dir', dataDir])).toMatchObject({ code: 0 })
  })
})

describe('machine code inside', () => {
  it.each(['ro', 'noexec'])('loads with a temporary directory mounted %s', async (option) => {
    const dataDir = emptyFolder()
    const TMPDIR = emptyFolder()
    // where mounting is not permitted: a temporary directory that cannot exist, whoever we are
    const given = canMount
      ? { through: mounting(TMPDIR, option), env: { ...OWNER, TMPDIR } }
      : { env: { ...OWNER, TMPDIR: `${claviger.file}/nowhere` } }
    const server = await claviger.serve(dataDir, given)
    await server.logged('The owner was created') // so both addons have worked
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    expect((await server.stop('SIGTERM')).code).toBe(0)
  })

  it.runIf(onLinux)('comes from a copy that is gone once loaded', async () => {
    const dataDir = emptyFolder()
    const TMPDIR = emptyFolder()
    const server = await claviger.serve(dataDir, { env: { ...OWNER, TMPDIR } })
    await server.logged('The owner was created')
    const mapped = readFileSync(`/proc/${server.pid}/maps`, 'utf8').match(/\/.*\.node.*$/gm) ?? []
    expect([...new Set(mapped.map((path) => path.replace(/\.claviger-\w+/, '*')))].sort()).toEqual([
      `${dataDir}/*/argon2.node (deleted)`,
      `${dataDir}/*/better-sqlite3.node (deleted)`,
    ])
    expect(readdirSync(TMPDIR)).toEqual([])
    expect(readdirSync(dataDir).filter((name) => !/^(claviger|docs)\.db/.test(name))).toEqual(['secret'])
  })

  it.runIf(canMount)('falls back on the temporary directory under a noexec data directory', async () => {
    const dataDir = emptyFolder()
    const server = await claviger.serve(dataDir, { through: mounting(dataDir, 'noexec'), env: OWNER })
    await server.logged('The owner was created')
    expect((await server.stop('SIGTERM')).code).toBe(0)
  })

  it.runIf(canMount)('is refused with a sentence when no folder permits it', async () => {
    const dataDir = emptyFolder()
    const given = { through: mounting(dataDir, 'noexec'), env: { TMPDIR: `${dataDir}/nowhere` } }
    const { code, stderr } = await claviger.run(['serve', '--port', '0', '--data-dir', dataDir], given)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^Machine code \(better-sqlite3\) cannot be loaded\. Let the data directory be writable .*\n$/,
    )
  })

  it('is loaded by many processes at once', async () => {
    const dataDir = emptyFolder()
    await claviger.serve(dataDir)
    const verify = () => claviger.run(['audit', 'verify', '--data-dir', dataDir])
    const all = await Promise.all(Array.from({ length: 6 }, verify))
    expect(all.map(({ code, stderr }) => ({ code, stderr }))).toEqual(all.map(() => ({ code: 0, stderr: '' })))
  })
})

describe('the folder it is started in', () => {
  /** A project of somebody else's, each file of which Bun would obey. */
  function trap(): { folder: string; sprung: () => boolean } {
    const folder = emptyFolder()
    const mark = join(folder, 'sprung')
    const plant = (file: string, text: string) => {
      mkdirSync(join(folder, file, '..'), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    plant('.env', 'CLAVIGER_PORT=1\nCLAVIGER_HOST=192.0.2.1\n')
    plant('bunfig.toml', 'preload = ["./spring.cjs"]\n')
    plant('spring.cjs', `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')\n`)
    plant('package.json', '{"name": "trap", "type": "commonjs", "imports": {"#*": "./spring.cjs"}}')
    plant('tsconfig.json', '{"compilerOptions": {"paths": {"*": ["./spring.cjs"]}}}')
    for (const name of ['better-sqlite3', 'express', '@node-rs/argon2', 'eta'])
      plant(`node_modules/${name}/index.js`, `require('../../spring.cjs'); require('../../../spring.cjs')`)
    return { folder, sprung: () => existsSync(mark) }
  }

  it('is not obeyed', async () => {
    const { folder, sprung } = trap()
    const printed = await claviger.run(['config', 'print', '--json'], { cwd: folder })
    expect(JSON.parse(printed.stdout)).toContainEqual({ name: 'port', value: 8484, origin: 'default' })
    expect(JSON.parse(printed.stdout)).toContainEqual({ name: 'host', value: '127.0.0.1', origin: 'default' })
    const server = await claviger.serve(emptyFolder(), { cwd: folder, env: OWNER })
    await server.logged('The owner was created')
    expect((await server.stop('SIGTERM')).code).toBe(0)
    expect(sprung()).toBe(false)
  })

  it('would be obeyed by Bun', async () => {
    const { folder, sprung } = trap()
    await claviger.run(['run', './package.json'], { cwd: folder, env: { BUN_BE_BUN: '1' } })
    expect(sprung()).toBe(true)
  })
})

describe('as Bun', () => {
  it('runs a package', async () => {
    const folder = emptyFolder()
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
    mkdirSync(join(folder, 'node_modules/hello'))
    writeFileSync(join(folder, 'package.json'), '{"dependencies": {"hello": "1.0.0"}}')
    writeFileSync(
      join(folder, 'node_modules/hello/package.json'),
      '{"name": "hello", "version": "1.0.0", "bin": "hello.js"}',
    )
    const script = join(folder, 'node_modules/hello/hello.js')
    writeFileSync(script, '#!/usr/bin/env node\nconsole.log("hello from", typeof Bun)\n', { mode: 0o755 })
    symlinkSync('../hello/hello.js', join(folder, 'node_modules/.bin/hello'))
    const { stdout, code } = await claviger.run(['x', '--bun', 'hello'], { cwd: folder, env: { BUN_BE_BUN: '1' } })
    expect({ stdout, code }).toEqual({ stdout: 'hello from object\n', code: 0 })
  })
})

it('is one file of moderate size', () => {
  expect(statSync(claviger.file).size).toBeLessThan(140_000_000)
})
