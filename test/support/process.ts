import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Said } from '../cli/terminal.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** Nothing of the machine's own environment but what a process needs to run. */
function environment(dataDir: string, more: Record<string, string>): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env
  return { PATH, HOME, TMPDIR, CLAVIGER_DATA_DIR: dataDir, ...more }
}

/** `claviger …` as a process of its own. */
export function launch(dataDir: string, argv: string[], env: Record<string, string> = {}) {
  const launched = Bun.spawn([process.execPath, '--no-env-file', MAIN, ...argv], {
    env: environment(dataDir, env),
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  onTestFinished(() => launched.kill('SIGKILL'))
  return launched
}

export async function finished(launched: ReturnType<typeof launch>): Promise<Said> {
  const [code, out, err] = await Promise.all([launched.exited, launched.stdout.text(), launched.stderr.text()])
  return { code, out, err }
}

/** A command to its end. */
export async function command(dataDir: string, ...argv: string[]): Promise<Said> {
  const launched = launch(dataDir, argv)
  launched.stdin.end()
  return finished(launched)
}

/** A server on a free port, once it says that it is ready. */
export async function serving(dataDir: string, env: Record<string, string> = {}) {
  const server = launch(dataDir, ['serve', '--port', '0'], env)
  const [watched, kept] = server.stdout.tee()
  const out = new Response(kept).text()
  const err = server.stderr.text()
  return {
    server,
    origin: await originIn(watched),
    /** Stopped as an operator stops it; what it said from start to end. */
    async stop(): Promise<Said> {
      server.kill('SIGTERM')
      return { code: await server.exited, out: await out, err: await err }
    },
  }
}

async function originIn(log: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let said = ''
  for await (const text of log.pipeThrough(new TextDecoderStream())) {
    said += text
    const ready = said.split('\n').find((line) => line.includes('"Claviger is ready"') && line.endsWith('}'))
    if (ready) return JSON.parse(ready).url
  }
  throw new Error(`The server did not start: ${said}`)
}
