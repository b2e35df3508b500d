import { cpus } from 'node:os'
import type { Row } from './calls.ts'
import type { Gateways } from './gateways.ts'
import type { Results } from './run.ts'
import type { Searching } from './search.ts'
import { ratio, targetsOf } from './targets.ts'

/** Everything that was measured, as Markdown. */
export function tables(results: Results): string {
  const { calls, gateways, keys, lists, memory, start, search } = results
  const parts = [header(results)]
  if (calls) parts.push(`## Calls\n\n${callTable(calls)}`)
  if (gateways) parts.push(`## Gateways\n\n${gatewayTable(gateways)}`)
  if (keys) parts.push(`## Keys, in process\n\n${keyTables(keys)}`)
  if (lists)
    parts.push(
      `## tools/list at /mcp, ${lists.upstreams} upstreams\n\n${table(
        ['', 'req/s', 'ratio', 'CPU µs', 'p50 ms', 'p99 ms', 'first ms'],
        lists.rows.map((row) => [
          row.name,
          whole(row.perSecond),
          ratio(row.ratio),
          whole(row.cpuMicros),
          ms(row.p50Ms),
          ms(row.p99Ms),
          ms(row.firstMs),
        ]),
      )}`,
    )
  if (memory || start)
    parts.push(
      `## Memory and start\n\n${table(
        ['', ''],
        [
          ...(memory
            ? [
                [`after ${whole(memory.earlyCalls)} calls`, `${whole(memory.earlyMb)} MB`],
                [`after ${whole(memory.calls)} calls`, `${whole(memory.lateMb)} MB (${ratio(memory.ratio)})`],
                ['at rest after either', `${whole(memory.restedEarlyMb)} and ${whole(memory.restedLateMb)} MB`],
              ]
            : []),
          ...(start
            ? [
                ['ready after start', `${whole(start.readyMs)} ms (median of ${start.starts})`],
                ['idle', `${whole(start.idleMb)} MB`],
              ]
            : []),
        ],
      )}`,
    )
  if (search) parts.push(`## Search of documents\n\n${searchTables(search)}`)
  parts.push(`## Goals\n\n${goalTable(results)}`)
  return `${parts.join('\n\n')}\n`
}

function header({ at, program, rounds, seconds }: Results): string {
  return `# Measured ${at.slice(0, 10)}\n\nBun ${Bun.version}, ${process.platform} ${process.arch}, ${cpus().length} cores; ${program}; ${rounds} rounds of ${seconds} s, medians.`
}

function gatewayTable({ peer, note, rows }: Gateways): string {
  if (rows.length === 0) return `${peer}: ${note}`
  return table(
    ['stdio upstream, 16 clients', 'req/s', 'CPU µs', 'p50 ms', 'p99 ms'],
    rows.map((row) => [row.name, whole(row.perSecond), whole(row.cpuMicros), ms(row.p50Ms), ms(row.p99Ms)]),
  )
}

function searchTables({ sections, queries, rows, quality }: Searching): string {
  const speed = table(
    [`${whole(sections)} sections, ${whole(queries)} queries`, 'indexed/s', 'size MB', 'queries/s', 'p50 ms', 'p99 ms'],
    rows.map((row) => [
      row.name,
      whole(row.indexPerSecond),
      whole(row.sizeMb),
      whole(row.perSecond),
      ms(row.p50Ms),
      ms(row.p99Ms),
    ]),
  )
  const answers = table(
    [`${quality[0]!.questions} questions`, 'recall@5', 'MRR'],
    quality.map(({ name, recallAt5, meanReciprocalRank }) => [name, ratio(recallAt5), ratio(meanReciprocalRank)]),
  )
  return `${speed}\n\n${answers}`
}

function callTable(rows: Row[]): string {
  return table(
    [
      'upstream',
      'era',
      'clients',
      'way',
      'req/s',
      'to direct',
      'to ceiling',
      'CPU µs',
      'p50 ms',
      'p99 ms',
      'added p50/p99',
      'RSS MB',
    ],
    rows.map((row) => [
      row.transport,
      row.era,
      String(row.clients),
      row.way,
      whole(row.perSecond),
      maybe(row.toDirect, ratio),
      maybe(row.toCeiling, ratio),
      whole(row.cpuMicros),
      ms(row.p50Ms),
      ms(row.p99Ms),
      row.addedP50Ms === null ? '' : `${ms(row.addedP50Ms)} / ${maybe(row.addedP99Ms, ms)}`,
      `${whole(row.rssBeforeMb)} → ${whole(row.rssAfterMb)}`,
    ]),
  )
}

function keyTables({ few, many, paths, betterAuth, betterAuthNote }: NonNullable<Results['keys']>): string {
  const scale = table(
    ['path', `${whole(few)} keys, a second`, `${whole(many)} keys, a second`, 'ratio'],
    paths.map((path) => [path.name, whole(path.perSecondFew), whole(path.perSecondMany), ratio(path.ratio)]),
  )
  const peer = betterAuth
    ? [whole(betterAuth.ours), whole(betterAuth.theirs), `${betterAuth.ratio.toFixed(0)}×`]
    : ['', 'not measured', '']
  return `${scale}\n\n${table(['verification, a second', 'Claviger', 'Better Auth', ''], [[betterAuthNote, ...peer]])}`
}

function goalTable(results: Results): string {
  return table(
    ['goal', 'wanted', 'measured', ''],
    targetsOf(results).map(({ what, wanted, got, reached }) => [
      what,
      wanted,
      got ?? 'not measured',
      reached === null ? '' : reached ? 'reached' : '**not reached**',
    ]),
  )
}

function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]!.length)))
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n')
}

function maybe(value: number | null, shown: (value: number) => string): string {
  return value === null ? '' : shown(value)
}

function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 })
}

function ms(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : 0).replace(/^(-?)0\./, '$1.')
}
