import type { Row, Transport } from './calls.ts'
import type { Results } from './run.ts'

export type Target = {
  what: string
  wanted: string
  /** Null: not measured in this run. */
  got: string | null
  reached: boolean | null
}

/** What was set as the first goal; the worst row decides. */
export function targetsOf(results: Results): Target[] {
  const { calls = [], gateways, keys, lists, memory, start } = results
  return [
    throughput(calls, 'stdio', 0.6),
    throughput(calls, 'http', 0.7),
    added(calls, 'stdio'),
    added(calls, 'http'),
    target('best gateway of npm, 16 clients, stdio upstream', '≥ 4×', gateways?.ratio, decimals, atLeast(4)),
    target(
      'verification in process against Better Auth in memory',
      '≥ 50×',
      keys?.betterAuth?.ratio,
      times,
      atLeast(50),
    ),
    worstPath(keys?.paths, keys?.many),
    oneDead(lists),
    target(
      `memory after ${memory?.calls ?? 'many'} calls against after ${memory?.earlyCalls ?? 'few'}`,
      '≤ 1.2',
      memory?.ratio,
      ratio,
      atMost(1.2),
    ),
    target('ready after start', '≤ 250 ms', start?.readyMs, (ms) => `${ms.toFixed(0)} ms`, atMost(250)),
    target('idle memory', '≤ 100 MB', start?.idleMb, (mb) => `${mb.toFixed(0)} MB`, atMost(100)),
  ]
}

function throughput(rows: Row[], transport: Transport, least: number): Target {
  const ours = rows.filter((row) => row.transport === transport && row.clients === 16 && row.way.startsWith('Claviger'))
  const worst = lowest(ours, ({ toCeiling }) => toCeiling)
  const what = `${transport} upstream, 16 clients, throughput against the bare pass-through`
  return target(
    what,
    `≥ ${ratio(least)}`,
    worst?.toCeiling,
    (value) => `${ratio(value)} (${shortName(worst!)})`,
    atLeast(least),
  )
}

function added(rows: Row[], transport: Transport): Target {
  const ours = rows.filter((row) => row.transport === transport && row.clients === 1 && row.way.startsWith('Claviger'))
  const worst50 = lowest(ours, ({ addedP50Ms }) => addedP50Ms && -addedP50Ms)
  const worst99 = lowest(ours, ({ addedP99Ms }) => addedP99Ms && -addedP99Ms)
  const what = `${transport} upstream, added p50 and p99 at one client against direct`
  const [p50, p99] = [worst50?.addedP50Ms, worst99?.addedP99Ms]
  if (p50 == null || p99 == null) return { what, wanted: '≤ .20 and .8 ms', got: null, reached: null }
  const got = `${p50.toFixed(2)} and ${p99.toFixed(2)} ms`
  return { what, wanted: '≤ .20 and .8 ms', got, reached: p50 <= 0.2 && p99 <= 0.8 }
}

function worstPath(paths: { name: string; ratio: number }[] | undefined, many: number | undefined): Target {
  const worst = lowest(paths ?? [], (path) => path.ratio)
  const what = `any path with ${many ?? 'very many'} keys against 10`
  return target(what, '≥ .95', worst?.ratio, (value) => `${ratio(value)} (${worst!.name})`, atLeast(0.95))
}

function oneDead(lists: Results['lists']): Target {
  const worst = lowest(lists?.rows.slice(1) ?? [], (row) => row.ratio)
  const what = `tools/list with ${lists?.upstreams ?? 'many'} upstreams, one of them dead, against all alive`
  return target(what, '≥ .95', worst?.ratio, (value) => `${ratio(value)} (${worst!.name})`, atLeast(0.95))
}

function target(
  what: string,
  wanted: string,
  value: number | null | undefined,
  shown: (value: number) => string,
  reached: (value: number) => boolean,
): Target {
  if (value == null) return { what, wanted, got: null, reached: null }
  return { what, wanted, got: shown(value), reached: reached(value) }
}

function lowest<T>(things: T[], figure: (thing: T) => number | null): T | undefined {
  const known = things.filter((thing) => figure(thing) !== null)
  return known.sort((a, b) => figure(a)! - figure(b)!)[0]
}

function shortName({ era, way }: Row): string {
  return `${way.replace('Claviger ', '')}, ${era}`
}

const atLeast = (least: number) => (value: number) => value >= least
const atMost = (most: number) => (value: number) => value <= most

export function ratio(value: number): string {
  return value.toFixed(2).replace(/^0\./, '.')
}

function times(value: number): string {
  return `${value.toFixed(0)}×`
}

function decimals(value: number): string {
  return `${value.toFixed(1)}×`
}
