import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { targetFor } from '../../src/core/connect/connection.ts'
import { type Case, STEPS, type Step } from './case.ts'
import { claudeCode } from './cases/claude-code.ts'
import { codex } from './cases/codex.ts'
import { geminiCli } from './cases/gemini-cli.ts'
import { inspector } from './cases/inspector.ts'
import { mcpRemote } from './cases/mcp-remote.ts'
import { mcporter } from './cases/mcporter.ts'
import { opencode } from './cases/opencode.ts'
import { pasted } from './cases/pasted.ts'
import { qwenCode } from './cases/qwen-code.ts'
import { SLUG, startClaviger } from './claviger.ts'
import { binaries, install, NODE, PATH } from './install.ts'
import { startModel } from './model.ts'
import { begin, endAll, run } from './processes.ts'
import { startTee } from './tee.ts'

const CASES: Case[] = [claudeCode, codex, inspector, mcpRemote, geminiCli, qwenCode, opencode, mcporter, pasted].flat()

type Row = {
  client: string
  version: string
  /** The revisions its requests named. */
  spoken: string
  announced: string
  steps: Partial<Record<Step, { ok: boolean; seen: string }>>
  seconds: number
  failure: string | null
}

const { values } = parseArgs({ options: { only: { type: 'string' }, 'cut-off': { type: 'boolean', default: false } } })
const wanted = CASES.filter(({ name }) => name.toLowerCase().includes((values.only ?? '').toLowerCase()))
if (wanted.length === 0)
  throw new Error(`--only names no client. There are: ${CASES.map(({ name }) => name).join('; ')}`)
process.exitCode = values['cut-off'] ? await runAll() : await fetchThenRunCutOff()

/** First the packages, with a network; then everything else where there is none but loopback, if the machine allows it. */
async function fetchThenRunCutOff(): Promise<number> {
  for (const one of new Set([NODE, ...wanted.map(({ package: its }) => its)])) await install(one)
  const [shell, ...prefix] = await cutOff()
  if (!shell) {
    console.log('This machine cannot cut off the network; clients are only asked to stay on loopback.')
    return runAll()
  }
  const self = [process.execPath, '--no-env-file', import.meta.path, '--cut-off']
  const child = Bun.spawn([shell, ...prefix, ...self, ...(values.only ? ['--only', values.only] : [])], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 1_800_000,
    killSignal: 'SIGKILL',
  })
  return child.exited
}

/** A command prefix: a network of loopback alone, and processes that all end with the first of them. */
async function cutOff(): Promise<string[]> {
  const prefix = ['--map-root-user', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const shell = ['/bin/sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  const all = ['/usr/bin/unshare', ...prefix, ...shell]
  if (!existsSync(all[0]!)) return []
  const { code } = await run(all[0]!, [...all.slice(1), 'true'], { cwd: '/', env: { PATH }, seconds: 10 })
  return code === 0 ? all : []
}

async function runAll(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-clients-'))
  const claviger = await startClaviger(join(folder, 'server'))
  const rows: Row[] = []
  try {
    for (const one of wanted) {
      const row = await runCase(one, claviger, join(folder, `home-${rows.length}`))
      rows.push(row)
      console.log(`${row.failure ? '✗' : '✓'} ${row.client} (${row.seconds.toFixed(1)} s)`)
      for (const step of STEPS) if (row.steps[step]) console.log(`    ${step}: ${row.steps[step].seen.slice(0, 600)}`)
      if (row.failure) console.log(`    ${row.failure.replaceAll('\n', '\n    ')}`)
    }
  } finally {
    await claviger.stop()
    endAll()
    rmSync(folder, { recursive: true, force: true })
  }
  console.log(`\n${tableOf(rows)}`)
  return rows.every(({ failure }) => failure === null) ? 0 : 1
}

async function runCase(one: Case, claviger: Awaited<ReturnType<typeof startClaviger>>, home: string): Promise<Row> {
  const startedAt = performance.now()
  const row: Row = {
    client: one.name,
    version: one.package.version,
    spoken: '',
    announced: '',
    steps: {},
    seconds: 0,
    failure: null,
  }
  mkdirSync(join(home, 'tmp'), { recursive: true })
  const tee = await startTee(claviger.port)
  const words = `words-${crypto.randomUUID().slice(0, 8)}`
  const model = startModel({ tool: 'echo', input: { text: words } })
  try {
    const { id, key } = await claviger.key(one.name)
    const steps = one.steps ?? (['list', 'call', 'refused'] as const)
    const base = envFor(home)
    const command = (program: string) => join(binaries(one.package), program)
    await one.run({
      url: `${tee.origin}/mcp/${SLUG}`,
      urlOfAll: `${tee.origin}/mcp`,
      key,
      home,
      variable: targetFor('', SLUG).variable,
      model: model.url,
      words,
      run: (program, args, env = {}) => run(command(program), args, { env: { ...base, ...env }, cwd: home }),
      bash: (script, env = {}) => {
        const own = { ...base, PATH: [binaries(one.package), base.PATH].join(':') }
        return run('bash', ['-c', script], { env: { ...own, ...env }, cwd: home })
      },
      connect: (client) => claviger.connect(client, key, tee.origin),
      begin: (program, args, env = {}) => begin(command(program), args, { env: { ...base, ...env }, cwd: home }),
      programFor: (program) => ({ command: command(program), env: base }),
      async step(step, work) {
        row.steps[step] = { ok: false, seen: 'failed' }
        row.steps[step] = { ok: true, seen: await work() }
      },
      async revoke() {
        row.spoken = tee.versions().join(', ')
        await claviger.revoke(id)
      },
    })
    for (const step of steps) if (!row.steps[step]?.ok) throw new Error(`The step "${step}" did not run.`)
    row.spoken ||= tee.versions().join(', ')
    if (steps.includes('refused') && !tee.answers().includes('"revoked_key"'))
      throw new Error('It failed, but not because the key was revoked.')
    row.announced = (await claviger.lastClient(id)) ?? ''
  } catch (error) {
    row.failure = (error as Error).message
  } finally {
    model.close()
    tee.close()
  }
  row.seconds = (performance.now() - startedAt) / 1000
  return row
}

/** An empty home, no news from outside, and a dead end for whoever tries all the same. */
function envFor(home: string): Record<string, string> {
  return {
    PATH,
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    TERM: 'dumb',
    NO_COLOR: '1',
    CI: '1',
    DO_NOT_TRACK: '1',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    NO_PROXY: '127.0.0.1,localhost',
    npm_config_offline: 'true',
  }
}

function tableOf(rows: Row[]): string {
  const mark = ({ steps }: Row, step: Step) => {
    if (!steps[step]?.ok) return steps[step] ? '✗' : '–'
    return step === 'refused' && !/revoked/i.test(steps[step].seen) ? '✓ mute' : '✓'
  }
  const lines = [
    ['client', 'version', 'announced as', 'spoken', ...STEPS, 'seconds'],
    ...rows.map((row) => [
      ...[row.client, row.version, row.announced, row.spoken],
      ...STEPS.map((step) => mark(row, step)),
      row.seconds.toFixed(1),
    ]),
  ]
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
