import { furnish, newFolder, serve, stdioTarget } from './claviger.ts'
import { megabytes } from './figures.ts'
import type { Era, Plan } from './load/plan.ts'
import { rssBytesOf } from './load/process.ts'
import type { Loader } from './loaders.ts'
import type { Options } from './options.ts'
import { script } from './processes.ts'

/** A server of its own, called in both eras: what it holds after many calls beside what it held after few. */
export type Memory = {
  earlyCalls: number
  calls: number
  earlyMb: number
  lateMb: number
  ratio: number
  /** Under load it is wherever the collector happens to be; some seconds later, what is really held. */
  restedEarlyMb: number
  restedLateMb: number
}

const CLIENTS = 16
const ERAS: Era[] = ['2026-07-28', '2025-11-25']

export async function measureMemory(options: Options, loader: Loader, told: (text: string) => void): Promise<Memory> {
  const { executable, earlyCalls, calls, restMs } = options
  told(`memory: ${calls} calls`)
  const folder = newFolder()
  const { fullKeys } = await furnish(folder, { stdio: stdioTarget(script('servers/echo-stdio.ts')) }, CLIENTS)
  const { pid, url } = await serve(folder, executable)

  async function bytesAfter(some: number): Promise<number> {
    let bytes = 0
    for (const era of ERAS) {
      const plan: Plan = {
        name: 'memory',
        via: { kind: 'http', url: `${url}/mcp/stdio`, keys: fullKeys },
        era,
        clients: CLIENTS,
        ask: { tool: 'echo' },
        warmUpMs: 0,
        until: { calls: Math.ceil(some / ERAS.length) },
        pid,
      }
      bytes = (await loader.run(plan)).rssAfter
    }
    return bytes
  }

  async function rested(): Promise<number> {
    await Bun.sleep(restMs)
    return rssBytesOf(pid)
  }

  const early = await bytesAfter(earlyCalls)
  const restedEarly = await rested()
  const late = await bytesAfter(calls - earlyCalls)
  const restedLate = await rested()
  return {
    earlyCalls,
    calls,
    earlyMb: megabytes(early),
    lateMb: megabytes(late),
    ratio: late / early,
    restedEarlyMb: megabytes(restedEarly),
    restedLateMb: megabytes(restedLate),
  }
}
