import type { Target } from '../src/core/mcps/mcp.ts'
import { furnish, newFolder, serve } from './claviger.ts'
import { median, sum } from './figures.ts'
import type { Measured, Plan } from './load/plan.ts'
import type { Loader } from './loaders.ts'
import type { Options } from './options.ts'
import { script, start } from './processes.ts'

/** `tools/list` at `/mcp`: all upstreams alive; or one dead, since nobody listens there or since it never answers. */
export type Lists = { upstreams: number; rows: ListRow[] }
export type ListRow = {
  name: string
  perSecond: number
  ratio: number
  /** Of the gateway, for each list. */
  cpuMicros: number
  p50Ms: number
  p99Ms: number
  firstMs: number
}

const CLIENTS = 4

export async function measureLists(options: Options, loader: Loader, told: (text: string) => void): Promise<Lists> {
  const { upstreams, rounds, silentToo } = options
  told(`lists: ${upstreams} upstreams, all alive or one dead`)
  const echo = await start(script('servers/echo-http.ts'))
  const gone = await start(script('servers/mute.ts'))
  await gone.end()
  const plans = [
    await instance('all alive', echo.url, echo.url, upstreams, options),
    await instance('one refuses connections', echo.url, gone.url, upstreams - 1, options),
  ]
  if (silentToo) {
    const mute = await start(script('servers/mute.ts'))
    plans.push(await instance('one never answers', echo.url, mute.url, upstreams - 1, options))
  }
  const firsts: Measured[] = []
  for (const plan of plans) firsts.push(await loader.run(first(plan)))
  const heard: Measured[][] = plans.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, plan] of plans.entries()) heard[i]!.push(await loader.run(plan))
  const rates = heard.map((measured) => median(measured.map(({ calls, seconds }) => calls / seconds)))
  const rows = plans.map(({ name }, i) => ({
    name,
    perSecond: rates[i]!,
    ratio: rates[i]! / rates[0]!,
    cpuMicros: (sum(heard[i]!.map(({ cpuSeconds }) => cpuSeconds)) / sum(heard[i]!.map(({ calls }) => calls))) * 1e6,
    p50Ms: median(heard[i]!.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(heard[i]!.map(({ p99Ms }) => p99Ms)),
    firstMs: firsts[i]!.p50Ms,
  }))
  return { upstreams, rows }
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
    name,
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
