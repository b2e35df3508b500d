import { furnish, newFolder, serve, stdioTarget } from './claviger.ts'
import { median, megabytes } from './figures.ts'
import { rssBytesOf } from './load/process.ts'
import type { Options } from './options.ts'
import { script } from './processes.ts'

/** From the start of the process to its word that it is ready, and what it holds a second later with nothing to do. */
export type StartUp = { starts: number; readyMs: number; idleMb: number }

export async function measureStartUp({ executable, rounds }: Options, told: (text: string) => void): Promise<StartUp> {
  told(`start: ${rounds} times`)
  const folder = newFolder()
  await furnish(folder, { stdio: stdioTarget(script('servers/echo-stdio.ts')) }, 10)
  const readyMs: number[] = []
  const idleBytes: number[] = []
  for (let round = 0; round < rounds; round++) {
    const server = await serve(folder, executable)
    readyMs.push(server.readyMs)
    await Bun.sleep(1000)
    idleBytes.push(rssBytesOf(server.pid))
    await server.end()
  }
  return { starts: rounds, readyMs: median(readyMs), idleMb: megabytes(median(idleBytes)) }
}
