import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { announced, type Scenario, scenariosIn, unscoredIn } from './report.ts'

/** 'classic' is the 0.1.16 release; the others are what the 0.2.0 alpha says a revision requires. */
export type Suite = 'classic' | '2025-11-25' | '2026-07-28'

export type Outcome = {
  /** How many scored scenarios passed. */
  passed: number
  /** The names of those that did not. */
  failed: string[]
  scenarios: Scenario[]
  /** Run and reported by the suite, but no part of conformance. */
  unscored: Scenario[]
}

const SUITES: Record<Suite, { package: string; args: string[] }> = {
  classic: { package: '@modelcontextprotocol/conformance', args: ['--suite', 'active'] },
  '2025-11-25': { package: 'conformance-2026', args: ['--requirements', '2025-11-25'] },
  '2026-07-28': { package: 'conformance-2026', args: ['--requirements', '2026-07-28'] },
}

const TIMEOUT_SECONDS = 120

export async function runConformance({ suite, url }: { suite: Suite; url: string }): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
  try {
    const { exitCode, stdout, stderr } = await run(suite, url, directory)
    return await judged(suite, exitCode, stdout, stderr)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function run(suite: Suite, url: string, directory: string) {
  const { package: name, args } = SUITES[suite]
  const program = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'dist/index.js')
  const child = Bun.spawn([process.execPath, program, 'server', '--url', url, ...args, '--output-dir', directory], {
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: TIMEOUT_SECONDS * 1000,
  })
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  return { exitCode, stdout, stderr }
}

/** The exit code and the summary must tell the same story, or neither is believed. */
async function judged(suite: Suite, exitCode: number, stdout: string, stderr: string): Promise<Outcome> {
  const all = await scenariosIn(stdout, (path) => readFile(path, 'utf8'))
  const apart = unscoredIn(stdout)
  const scenarios = all.filter(({ name }) => !apart.has(name))
  const complete = all.length > 0 && all.length === announced(stdout)
  const suiteSaysFailed = scenarios.some(({ checksFailed }) => checksFailed > 0)
  if (!complete || exitCode !== Number(suiteSaysFailed))
    throw new Error(
      `The ${suite} suite ended with ${exitCode} after ${all.length} scenarios.\n${stdout.slice(-2000)}${stderr}`,
    )

  const failed = scenarios.filter(({ ok }) => !ok).map(({ name }) => name)
  const unscored = all.filter(({ name }) => apart.has(name))
  return { passed: scenarios.length - failed.length, failed, scenarios, unscored }
}

function told(outcome: Outcome): string {
  const line = ({ ok, name, checksPassed, checksFailed, problems }: Scenario) =>
    [`${ok ? '✓' : '✗'} ${name}: ${checksPassed} passed, ${checksFailed} failed`, ...problems].join('\n    ')
  return [
    ...outcome.scenarios.map(line),
    ...(outcome.unscored.length > 0 ? ['', 'Not scored:', ...outcome.unscored.map(line)] : []),
    '',
    `${outcome.passed} of ${outcome.scenarios.length} scored scenarios passed.`,
  ].join('\n')
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { suite: { type: 'string' }, url: { type: 'string' } } })
  const { suite, url } = values
  if (!suite || !Object.hasOwn(SUITES, suite) || !url)
    throw new Error('Say --suite classic, 2025-11-25 or 2026-07-28 and --url http://localhost:PORT/mcp.')
  const outcome = await runConformance({ suite: suite as Suite, url })
  console.log(told(outcome))
  process.exitCode = outcome.failed.length > 0 ? 1 : 0
}
