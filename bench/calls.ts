import type { Target } from '../src/core/mcps/mcp.ts'
import { furnish, newFolder, serve, stdioTarget } from './claviger.ts'
import { median, megabytes, sum } from './figures.ts'
import type { Era, Measured, Plan } from './load/plan.ts'
import type { Loader } from './loaders.ts'
import type { Options } from './options.ts'
import { script, start } from './processes.ts'

export type Way = 'direct' | 'pass-through' | 'Claviger /mcp/{slug}' | 'Claviger /mcp'
export type Transport = 'stdio' | 'http'

export type Row = {
  name: string
  transport: Transport
  era: Era
  way: Way
  clients: number
  perSecond: number
  toDirect: number | null
  toCeiling: number | null
  cpuMicros: number
  p50Ms: number
  p99Ms: number
  addedP50Ms: number | null
  addedP99Ms: number | null
  rssBeforeMb: number
  rssAfterMb: number
}

type Variant = Pick<Row, 'name' | 'transport' | 'era' | 'way' | 'clients'> & { plan: Plan }

const ERAS: Era[] = ['2026-07-28', '2025-11-25']
const CLIENTS = [1, 16, 64]
const MOST_CLIENTS = 64
const WARMING = 16

/** Every way to an upstream in one run, round after round over all of them: the neighbours' noise falls on each alike. */
export async function measureCalls(options: Options, loader: Loader, told: (text: string) => void): Promise<Row[]> {
  const variants = (await ways(options)).filter(wanted(options))
  const heard = new Map<Variant, Measured[]>(variants.map((variant) => [variant, []]))
  told('calls: warming up')
  for (const variant of variants) if (variant.clients === WARMING) await loader.run(warming(variant.plan, options))
  for (let round = 1; round <= options.rounds; round++) {
    told(`calls: round ${round} of ${options.rounds}, ${variants.length} variants`)
    for (const variant of variants) heard.get(variant)!.push(await loader.run(variant.plan))
  }
  return compared(variants.map((variant) => rowOf(variant, heard.get(variant)!)))
}

function wanted({ rows }: Options): (variant: Variant) => boolean {
  return ({ name }) => rows.length === 0 || rows.some((row) => name.includes(row))
}

async function ways(options: Options): Promise<Variant[]> {
  const child = script('servers/echo-stdio.ts')
  const echo = await start(script('servers/echo-http.ts'))
  const passHttp = await start(script('servers/pass-http.ts', echo.url))
  const passStdio = await start(script('servers/pass-stdio.ts', ...child))
  const folder = newFolder()
  const targets: Record<Transport, Target> = {
    stdio: stdioTarget(child),
    http: { kind: 'http', url: echo.url, headers: {} },
  }
  const { fullKeys } = await furnish(folder, targets, MOST_CLIENTS)
  const claviger = await serve(folder, options.executable)

  const through = (transport: Transport): [Way, Plan['via'], number | null, string][] => {
    const pass = transport === 'http' ? passHttp : passStdio
    const at = (path: string): Plan['via'] => ({ kind: 'http', url: claviger.url + path, keys: fullKeys })
    return [
      transport === 'http'
        ? ['direct', { kind: 'http', url: echo.url, keys: [] }, echo.pid, 'echo']
        : ['direct', { kind: 'stdio', argv: child }, null, 'echo'],
      ['pass-through', { kind: 'http', url: pass.url, keys: [] }, pass.pid, 'echo'],
      ['Claviger /mcp/{slug}', at(`/mcp/${transport}`), claviger.pid, 'echo'],
      ['Claviger /mcp', at('/mcp'), claviger.pid, `${transport}__echo`],
    ]
  }

  return (['stdio', 'http'] as const).flatMap((transport) =>
    ERAS.flatMap((era) =>
      CLIENTS.flatMap((clients) =>
        through(transport).map(([way, via, pid, tool]) => {
          const name = `${transport} ${era} ${clients} ${way}`
          const plan: Plan = {
            name,
            via,
            era,
            clients,
            ask: { tool },
            warmUpMs: options.warmUpSeconds * 1000,
            until: { ms: options.seconds * 1000 },
            pid,
          }
          return { name, transport, era, way, clients, plan }
        }),
      ),
    ),
  )
}

/** A server's first calls pay for their own compilation: tens of microseconds each, over the first tens of thousands. */
function warming(plan: Plan, { warmingCalls }: Options): Plan {
  return { ...plan, warmUpMs: 0, until: { calls: warmingCalls } }
}

function rowOf({ plan: _plan, ...variant }: Variant, rounds: Measured[]): Row {
  const of = (figure: (round: Measured) => number) => median(rounds.map(figure))
  return {
    ...variant,
    perSecond: of(({ calls, seconds }) => calls / seconds),
    // the kernel counts in steps of 10 ms: the sum of all rounds errs least
    cpuMicros: (sum(rounds.map(({ cpuSeconds }) => cpuSeconds)) / sum(rounds.map(({ calls }) => calls))) * 1e6,
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    rssBeforeMb: megabytes(rounds[0]!.rssBefore),
    rssAfterMb: megabytes(rounds.at(-1)!.rssAfter),
    toDirect: null,
    toCeiling: null,
    addedP50Ms: null,
    addedP99Ms: null,
  }
}

function compared(rows: Row[]): Row[] {
  const peer = (row: Row, way: Way) =>
    rows.find(
      (other) =>
        other.way === way &&
        other.transport === row.transport &&
        other.era === row.era &&
        other.clients === row.clients,
    )
  return rows.map((row) => {
    const direct = peer(row, 'direct')
    const ceiling = peer(row, 'pass-through')
    const alone = row.clients === 1 && row.way !== 'direct' && direct
    return {
      ...row,
      toDirect: direct ? row.perSecond / direct.perSecond : null,
      toCeiling: ceiling ? row.perSecond / ceiling.perSecond : null,
      addedP50Ms: alone ? row.p50Ms - direct.p50Ms : null,
      addedP99Ms: alone ? row.p99Ms - direct.p99Ms : null,
    }
  })
}
