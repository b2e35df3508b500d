import type { Target } from '../src/core/mcps/mcp.ts'
import { furnish, newFolder, serve } from './claviger.ts'
import { median } from './figures.ts'
import type { Measured, Plan } from './load/plan.ts'
import type { Loader } from './loaders.ts'
import type { Options } from './options.ts'
import { script, start } from './processes.ts'

/** `tools/list` at `/mcp`: all upstreams alive, and one that takes connections and never answers. */
export type Lists = { upstreams: number; alive: ListRow; oneDead: ListRow; ratio: number }
export type ListRow = { perSecond: number; p50Ms: number; p99Ms: number; firstMs: number }

const CLIENTS = 4

export async function measureLists(options: Options, loader: Loader, told: (text: string) => void): Promise<Lists> {
  const { upstreams, rounds } = options
  told(`lists: ${upstreams} upstreams, all alive or one dead`)
  const echo = await start(script('servers/echo-http.ts'))
  const mute = await start(script('servers/mute.ts'))
  const alive = await instance('all alive', echo.url, echo.url, upstreams, options)
  const oneDead = await instance('one dead', echo.url, mute.url, upstreams - 1, options)
  const both = [alive, oneDead]
  const firsts = [await loader.run(first(alive)), await loader.run(first(oneDead))]
  const heard: Measured[][] = [[], []]
  for (let round = 0; round < rounds; round++)
    for (const [i, plan] of both.entries()) heard[i]!.push(await loader.run(plan))
  const [rowAlive, rowDead] = heard.map((measured, i) => rowOf(measured, firsts[i]!)) as [ListRow, ListRow]
  return { upstreams, alive: rowAlive, oneDead: rowDead, ratio: rowDead.perSecond / rowAlive.perSecond }
}

async function instance(
  name: string,
  url: string,
  lastUrl: string,
  listed: number,
  { upstreams, executable, seconds, warmUpSeconds }: Options,
): Promise<Plan> {
  const targets: Record<string, Target> = {}
  for (let i = 1; i <= upstreams; i++)
    targets[`server-${i}`] = { kind: 'http', url: i === upstreams ? lastUrl : url, headers: {} }
  const folder = newFolder()
  const { fullKeys } = await furnish(folder, targets, CLIENTS)
  const { pid, url: origin } = await serve(folder, executable)
  return {
    name: `lists, ${name}`,
    via: { kind: 'http', url: `${origin}/mcp`, keys: fullKeys },
    era: '2026-07-28',
    clients: CLIENTS,
    ask: { listed },
    warmUpMs: warmUpSeconds * 1000,
    until: { ms: seconds * 1000 },
    pid,
  }
}

/** Nothing is known yet: the only list that may wait for a server. */
function first(plan: Plan): Plan {
  return { ...plan, clients: 1, warmUpMs: 0, until: { calls: 1 } }
}

function rowOf(measured: Measured[], firstOne: Measured): ListRow {
  return {
    perSecond: median(measured.map(({ calls, seconds }) => calls / seconds)),
    p50Ms: median(measured.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(measured.map(({ p99Ms }) => p99Ms)),
    firstMs: firstOne.p50Ms,
  }
}
