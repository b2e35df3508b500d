import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { StdioTarget } from '../../src/core/mcps/mcp.ts'
import { connectionOver } from '../../src/upstreams/connection.ts'
import { stdioWire } from '../../src/upstreams/stdio.ts'
import { listen } from './listening.ts'
import { CHILD, fake, isAlive, target, untilGone } from './processes.ts'

const environment = { PATH: process.env.PATH, HOME: process.env.HOME }
const PACKAGES = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol')

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'claviger-stdio-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function start(what: StdioTarget, options: Partial<Parameters<typeof stdioWire>[1]> = {}) {
  const runDir = join(folder(), 'run')
  const upstream = await listen(stdioWire(what, { environment, runDir, ...options }))
  return { ...upstream, runDir, group: Number(readdirSync(runDir)[0]?.replace('.json', '')) }
}

describe('a real server over stdio', () => {
  it.each([
    ['server-everything', []],
    ['server-filesystem', [tmpdir()]],
    ['server-memory', []],
  ])('shakes hands with %s and lists its tools', async (name, args) => {
    const { ask, shakeHands } = await start(target('node', [join(PACKAGES, name, 'dist/index.js'), ...args]))
    const hello = await shakeHands()
    expect(hello.result).toHaveProperty('serverInfo.name')
    const { result } = await ask(1, 'tools/list')
    expect((result!.tools as unknown[]).length).toBeGreaterThan(5)
  })

  it('runs node commands in Bun where there is no node', async () => {
    const bare = folder() // a PATH with nothing on it
    const { ask } = await start(target('node', [CHILD, 'plain']), { environment: { ...environment, PATH: bare } })
    const { result } = await ask(1, 'environment')
    expect((result!.argv as string[])[0]).toBe(process.execPath)
  })

  it('runs npx commands in Bun where there is no npx', async () => {
    const bare = folder()
    const here = join(import.meta.dirname, '../..')
    const command = target('npx', ['-y', '@modelcontextprotocol/server-memory'], { cwd: here })
    const { shakeHands } = await start(command, { environment: { ...environment, PATH: bare } })
    expect((await shakeHands()).result).toHaveProperty('serverInfo.name', 'memory-server')
  })
})

describe('what a child is told', () => {
  it('hands over declared variables and few others', async () => {
    const what = fake('plain', { env: { TOKEN: 'Bearer ${WIKI_TOKEN}', PLAIN: '1' } })
    const { ask } = await start(what, {
      environment: { ...environment, WIKI_TOKEN: 'w1k1', HTTPS_PROXY: 'http://p', AWS_KEY: 'k', CLAVIGER_SECRET: 's' },
    })
    const { env } = (await ask(1, 'environment')).result as { env: Record<string, string> }
    expect(env).toMatchObject({ TOKEN: 'Bearer w1k1', PLAIN: '1', HOME: process.env.HOME })
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['HTTPS_PROXY']))
    expect(Object.keys(env).filter((name) => /CLAVIGER|AWS|WIKI|PROXY/.test(name))).toEqual([])
  })

  it('refuses a variable that is not set, by name', async () => {
    const open = stdioWire(fake('plain', { env: { TOKEN: '${NOT_THERE}' } }), { environment, runDir: null })
    await expect(listen(open)).rejects.toThrow(/NOT_THERE is not set/)
  })

  it('keeps its own settings from any child', async () => {
    const what = fake('plain', { env: { STOLEN: '${CLAVIGER_SECRET}' } })
    const open = stdioWire(what, { environment: { ...environment, CLAVIGER_SECRET: 'secret' }, runDir: null })
    await expect(listen(open)).rejects.toThrow(/CLAVIGER_SECRET is not set/)
  })

  it('names a command that does not exist', async () => {
    const open = stdioWire(target('no-such-server', []), { environment, runDir: null })
    await expect(listen(open)).rejects.toMatchObject({
      failure: {
        stage: 'start',
        unsent: true,
        message: expect.stringMatching(/no command no-such-server.*Install it/),
      },
    })
  })

  it('names a folder that does not exist', async () => {
    const open = stdioWire(fake('plain', { cwd: '/no/such/folder' }), { environment, runDir: null })
    await expect(listen(open)).rejects.toThrow(/folder \/no\/such\/folder does not exist/)
  })

  it('says why a file cannot be started', async () => {
    const open = stdioWire(target(CHILD, []), { environment, runDir: null }) // not executable
    await expect(listen(open)).rejects.toMatchObject({
      failure: { stage: 'start', message: expect.stringMatching(/EACCES/) },
    })
  })
})

describe('what a child prints', () => {
  it('hears answers between noise, and keeps the noise', async () => {
    const { ask, heard, wire } = await start(fake('noisy'))
    expect((await ask(1, 'echo')).result).toEqual({ method: 'echo' })
    expect(heard).toHaveLength(1)
    await expect
      .poll(() => wire.stderr!().sort(), { timeout: 10_000 })
      .toEqual(['stdout: Installing dependencies...', 'stdout: [info] ready', 'stdout: {half a thought', 'warming up'])
  })

  it.each([
    ['variables', fake('prints-its-secret', { env: { API_TOKEN: 'tok_4711' } })],
    ['arguments', fake('prints-its-secret', { args: [CHILD, 'prints-its-secret', '--token', 'tok_4711'] })],
  ])('hides what its %s hold in what it keeps', async (_, printing) => {
    const { ask, wire } = await start(printing)
    await ask(1, 'echo')
    await expect.poll(() => wire.stderr!()).toEqual(['the token is [secret]'])
  })

  it('puts characters split over chunks together', async () => {
    const { ask } = await start(fake('plain'))
    expect((await ask(1, 'piecemeal')).result).toEqual({ text: 'grüße 🗝️ 日本' })
  })

  it('passes a large answer and drops one beyond the limit', async () => {
    const limitBytes = 1024 * 1024
    const { ask, wire, fails } = await start(fake('plain'), { limitBytes })
    expect((await ask(1, 'large', { bytes: limitBytes - 100 })).result).toHaveProperty('text.length', limitBytes - 100)
    wire.send('{"jsonrpc":"2.0","id":2,"method":"large","params":{"bytes":40000000}}', { id: 2 })
    expect(await fails(2)).toMatchObject({ message: expect.stringMatching(/larger than 1 MB/), unsent: false })
    expect((await ask(3, 'echo')).result).toEqual({ method: 'echo' }) // it lives on
  })

  it('lives on when a message is nested too deep', async () => {
    const broken: unknown[] = []
    const ears = { unasked() {}, closed() {}, broke: (error: unknown) => void broken.push(error) }
    const connection = await connectionOver(stdioWire(fake('plain'), { environment, runDir: null }), ears)
    onTestFinished(() => connection.close())
    const call = (method: string) =>
      connection.call({ method, params: { _meta: { progressToken: 1 } }, timeoutMs: 10_000, aside: JSON.stringify })
    expect((await call('deep')).text).toContain('"result":{}')
    await expect(call('deep-answer')).rejects.toThrow('nested too deep')
    expect((await call('echo')).text).toContain('"method":"echo"')
    expect(broken).toEqual([])
  })

  it('answers many at once, each once', async () => {
    const { ask } = await start(fake('plain'))
    const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => ask(i, 'echo', { i })))
    expect(answers.map(({ result }) => (result!.params as { i: number }).i)).toEqual(answers.map((_, i) => i))
  })

  it('keeps a message with line breaks in one line', async () => {
    const { wire, until } = await start(fake('plain'))
    wire.send('{"jsonrpc":"2.0",\n "id":1,\r\n"method":"echo"}', { id: 1 })
    await until((event): event is typeof event => event.kind === 'message' && event.message.id === 1)
  })
})

describe('how a child ends', () => {
  it('closes once, with all in flight, when it crashes', async () => {
    const { ask, say, closed, wire, fails, heard, group } = await start(fake('plain'))
    await ask(1, 'echo')
    wire.send('{"jsonrpc":"2.0","id":2,"method":"never"}', { id: 2 })
    say('crash')
    expect(await closed()).toMatchObject({
      stage: 'session',
      message: expect.stringMatching(/exit code 7/),
      unsent: false,
    })
    wire.send('{"jsonrpc":"2.0","id":3,"method":"echo"}', { id: 3 })
    expect(await fails(3)).toMatchObject({ unsent: true })
    await untilGone(group)
    expect(heard.filter(({ kind }) => kind === 'closed')).toHaveLength(1)
  })

  it('delivers what was said just before the end', async () => {
    const { ask, closed } = await start(fake('plain'))
    expect(await ask(1, 'last-words')).toHaveProperty('result')
    expect(await closed()).toMatchObject({ stage: 'session', message: expect.stringMatching(/exit code 0/) })
  })

  it('tells of an end before the first word', async () => {
    // It may be gone before it could be noted, so there is no group to ask for.
    const { closed } = await listen(
      stdioWire(target('sh', ['-c', 'exit 3']), { environment, runDir: join(folder(), 'run') }),
    )
    expect(await closed()).toMatchObject({
      stage: 'start',
      unsent: true,
      message: expect.stringMatching(/exit code 3/),
    })
  })

  it('closes when its output is closed', async () => {
    const { closed, group } = await start(target('sh', ['-c', 'exec 1>&-; exec sleep 300']))
    expect(await closed()).toMatchObject({ message: expect.stringMatching(/closed its output/) })
    await untilGone(group)
  })

  it('ends at once when its input ends', async () => {
    const { ask, wire, group, runDir } = await start(fake('plain'))
    await ask(1, 'echo')
    expect(isAlive(group)).toBe(true)
    await wire.close()
    expect(isAlive(group)).toBe(false)
    expect(readdirSync(runDir)).toEqual([])
  })

  it('ends by force when it ignores SIGTERM', async () => {
    const { ask, wire, group } = await start(fake('deaf-to-sigterm'))
    await ask(1, 'echo')
    await wire.close()
    await untilGone(group)
    expect(wire.stderr!()).toContain('not listening')
  })

  it('ends the grandchildren behind a shell too', async () => {
    const { ask, wire, group } = await start(target('sh', ['-c', `"${process.execPath}" "${CHILD}" fork; true`]))
    await ask(1, 'echo')
    await expect.poll(() => wire.stderr!().join()).toMatch(/grandchild \d+/)
    const grandchild = Number(/grandchild (\d+)/.exec(wire.stderr!().join())![1])
    expect(isAlive(grandchild)).toBe(true)
    await wire.close()
    await untilGone(group)
    expect(isAlive(grandchild)).toBe(false)
  })

  it('ends grandchildren when the child crashes', async () => {
    const { ask, say, wire, closed } = await start(fake('fork'))
    await ask(1, 'echo')
    await expect.poll(() => wire.stderr!().join()).toMatch(/grandchild \d+/)
    const grandchild = Number(/grandchild (\d+)/.exec(wire.stderr!().join())![1])
    say('crash')
    await closed()
    await untilGone(grandchild)
  })

  it('says so when the server does not read', async () => {
    const { wire, fails, group } = await start(target('sleep', ['300']))
    const large = `{"jsonrpc":"2.0","id":1,"method":"x","params":"${'x'.repeat(8_000_000)}"}`
    for (let id = 0; id < 20; id++) wire.send(large, { id })
    expect(await fails(19)).toMatchObject({ message: expect.stringMatching(/does not read/), unsent: true })
    await wire.close()
    await untilGone(group)
  })

  it('keeps secrets out of the list of processes', async () => {
    const { ask, group } = await start(fake('plain', { env: { API_TOKEN: 'tok_4711' } }))
    await ask(1, 'echo')
    expect(readFileSync(`/proc/${group}/cmdline`, 'utf8')).not.toContain('tok_4711')
  })
})
