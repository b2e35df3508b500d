/** `npm run coverage`: runs the suites that ask the deciding code, and names each branch that none of them took. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { COUNTED, SUITES } from './deciding.ts'
import { asWritten, coverageMap, type FileCoverage, installTools } from './tools.ts'

const root = join(import.meta.dirname, '../..')
await installTools()
mkdirSync(COUNTED, { recursive: true })
try {
  process.exitCode = runSuites() || (await report())
} finally {
  rmSync(COUNTED, { recursive: true })
}

function runSuites(): number {
  const vitest = [
    '--no-env-file',
    '--bun',
    'vitest',
    'run',
    '--config',
    'test/coverage/vitest.config.ts',
    '--root',
    '.',
  ]
  const env = { ...process.env, CLAVIGER_COVERAGE_RUN: String(process.pid) }
  return Bun.spawnSync([process.execPath, ...vitest, ...SUITES], { cwd: root, env, stdio: ['ignore', 2, 2] }).exitCode
}

async function report(): Promise<number> {
  const files = await counted()
  const missed = files.flatMap(missedIn)
  for (const place of missed) console.log(place)
  console.log(`${files.length} files decide; ${missed.length} branches are taken by no test`)
  return missed.length === 0 && files.length > 0 ? 0 : 1
}

async function counted(): Promise<FileCoverage[]> {
  const all = await coverageMap()
  for (const name of readdirSync(COUNTED)) all.merge(JSON.parse(readFileSync(join(COUNTED, name), 'utf8')))
  const written = await asWritten(all)
  return written.files().map((name) => written.fileCoverageFor(name))
}

function missedIn({ path, b: taken, branchMap }: FileCoverage): string[] {
  return Object.entries(taken).flatMap(([id, counts]) => {
    const { locations, loc, type } = branchMap[id]!
    return counts.flatMap((count, at) =>
      count > 0 ? [] : [`${relative(root, path)}:${locations[at]?.start.line ?? loc.start.line}  ${type}`],
    )
  })
}
