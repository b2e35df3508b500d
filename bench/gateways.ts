import { furnish, newFolder, serve, stdioTarget } from './claviger.ts'
import { median, sum } from './figures.ts'
import { installed } from './installed.ts'
import type { Measured, Plan } from './load/plan.ts'
import type { Loader } from './loaders.ts'
import type { Options } from './options.ts'
import { keep, script } from './processes.ts'

/** The fastest gateway of npm that was found, asked in the way that is its fastest, in front of the same stdio server. */
export type Gateways = { peer: string; note: string; rows: GatewayRow[]; ratio: number | null }
export type GatewayRow = { name: string; perSecond: number; cpuMicros: number; p50Ms: number; p99Ms: number }

const PEER = 'mcp-hub@4.2.1'
const CLIENTS = 16
const READY_WITHIN_MS = 20_000
/** Slower servers need fewer calls to have their code compiled. */
const WARMING_SHARE = 0.25

type Way = { name: string; via: Plan['via']; pid: number; calls: number }

export async function measureGateways(
  options: Options,
  loader: Loader,
  told: (text: string) => void,
): Promise<Gateways> {
  if (!options.peers) return without('`--peers` measures it')
  const folder = await installed([PEER], told)
  if (folder === null) return without('npm could not install it')
  const child = script('servers/echo-stdio.ts')
  const own = newFolder()
  const { fullKeys } = await furnish(own, { stdio: stdioTarget(child) }, CLIENTS)
  const claviger = await serve(own, options.executable)
  const hub = await startHub(folder, child)
  const ways: Way[] = [
    {
      name: 'Claviger /mcp/{slug}',
      via: { kind: 'http', url: `${claviger.url}/mcp/stdio`, keys: fullKeys },
      pid: claviger.pid,
      calls: options.warmingCalls,
    },
    {
      name: `${PEER}, REST, without keys, on Node`,
      via: { kind: 'hub', url: hub.url, server: 'echo' },
      pid: hub.pid,
      calls: Math.ceil(options.warmingCalls * WARMING_SHARE),
    },
  ]
  const plan = ({ name, via, pid }: Way, until: Plan['until']): Plan => ({
    name,
    via,
    era: '2025-11-25',
    clients: CLIENTS,
    ask: { tool: 'echo' },
    warmUpMs: options.warmUpSeconds * 1000,
    until,
    pid,
  })
  const heard = ways.map((): Measured[] => [])
  for (const way of ways) await loader.run(plan(way, { calls: way.calls }))
  for (let round = 1; round <= options.rounds; round++) {
    told(`gateways: round ${round} of ${options.rounds}`)
    for (const [at, way] of ways.entries()) heard[at]!.push(await loader.run(plan(way, { ms: options.seconds * 1000 })))
  }
  const rows = ways.map(({ name }, at) => rowOf(name, heard[at]!))
  return { peer: PEER, note: '', rows, ratio: rows[0]!.perSecond / rows[1]!.perSecond }
}

function without(note: string): Gateways {
  return { peer: PEER, note, rows: [], ratio: null }
}

function rowOf(name: string, rounds: Measured[]): GatewayRow {
  const of = (figure: (round: Measured) => number) => median(rounds.map(figure))
  return {
    name,
    perSecond: of(({ calls, seconds }) => calls / seconds),
    cpuMicros: (sum(rounds.map(({ cpuSeconds }) => cpuSeconds)) / sum(rounds.map(({ calls }) => calls))) * 1e6,
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
  }
}

/** On the Node of this machine, for which it was made. */
async function startHub(folder: string, [command, ...args]: string[]): Promise<{ url: string; pid: number }> {
  await Bun.write(`${folder}/servers.json`, JSON.stringify({ mcpServers: { echo: { command, args } } }))
  const port = freePort()
  const hub = keep(
    Bun.spawn(['node', 'node_modules/mcp-hub/dist/cli.js', '--port', String(port), '--config', 'servers.json'], {
      cwd: folder,
      env: { ...process.env, HOME: folder },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    }),
  )
  const url = `http://localhost:${port}/api/servers/tools`
  const body = JSON.stringify({ server_name: 'echo', tool: 'echo', arguments: { text: 'ready' } })
  const until = performance.now() + READY_WITHIN_MS
  while (!(await answers(url, body))) {
    if (hub.exitCode !== null || performance.now() > until) throw new Error(`${PEER} does not answer.`)
    await Bun.sleep(100)
  }
  return { url, pid: hub.pid }
}

async function answers(url: string, body: string): Promise<boolean> {
  try {
    return (await fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })).ok
  } catch {
    return false
  }
}

function freePort(): number {
  const probe = Bun.listen({ hostname: 'localhost', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}
