import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Report } from '../bench/run.ts'
import { emptyFolder } from './support/executable.ts'

const root = join(import.meta.dirname, '..')

it('measures every row without an error', async () => {
  const file = join(emptyFolder(), 'figures.json')
  const bench = Bun.spawn([process.execPath, '--no-env-file', 'bench/run.ts', '--quick', '--json', file], {
    cwd: root,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [printed, said, code] = await Promise.all([bench.stdout.text(), bench.stderr.text(), bench.exited])
  expect(code, said).toBe(0)
  const { calls, keys, lists, memory, start, search, targets } = JSON.parse(readFileSync(file, 'utf8')) as Report

  expect(calls).toHaveLength(2 * 2 * 3 * 4) // transports, eras, numbers of clients, ways
  for (const row of calls!) {
    expect(printed).toContain(`| ${row.way}`)
    expect([row.perSecond, row.p50Ms, row.p99Ms, row.toDirect, row.toCeiling, row.rssBeforeMb].every(isPositive)).toBe(
      true,
    )
    expect(row.cpuMicros).toBeGreaterThanOrEqual(0) // the kernel counts in steps of 10 ms
  }
  expect(keys!.paths.map(({ ratio }) => ratio).every(isPositive)).toBe(true)
  expect(lists!.rows.map(({ ratio }) => ratio).every(isPositive)).toBe(true)
  expect([memory!.ratio, start!.readyMs, start!.idleMb].every(isPositive)).toBe(true)
  for (const { indexPerSecond, sizeMb, perSecond, p99Ms } of search!.rows)
    expect([indexPerSecond, sizeMb, perSecond, p99Ms].every(isPositive)).toBe(true)
  expect(search!.quality.map(({ recallAt5 }) => recallAt5).every(isPositive)).toBe(true)
  expect(targets.filter(({ got }) => got === null).map(({ what }) => what)).toEqual([
    'best gateway of npm, 16 clients, stdio upstream',
    'verification in process against Better Auth in memory',
  ])
}, 120_000)

function isPositive(figure: number | null): boolean {
  return figure !== null && Number.isFinite(figure) && figure > 0
}
