import { join } from 'node:path'

export type Started = {
  pid: number
  url: string
  /** From the start of the process to its word that it is ready. */
  readyMs: number
  end(): Promise<void>
}

const running = new Set<Bun.Subprocess>()

/** Ends, each by its own id, whatever this bench has started. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map(endOne))
}

/** Starts one process; it is ready once it has printed a JSON line with `url` in it. */
export async function start(argv: string[]): Promise<Started> {
  const startedAt = performance.now()
  const child = keep(Bun.spawn(argv, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' }))
  const said = child.stderr.text()
  const url = await firstUrl(child.stdout)
  if (!url) throw new Error(`${argv.join(' ')} ended before it was ready: ${await said}`)
  return { pid: child.pid, url, readyMs: performance.now() - startedAt, end: () => endOne(child) }
}

/** One of the bench's own programs, on the Bun that runs the bench. */
export function script(path: string, ...args: string[]): string[] {
  return [process.execPath, '--no-install', '--no-env-file', join(import.meta.dir, path), ...args]
}

export function keep<C extends Bun.Subprocess>(child: C): C {
  running.add(child)
  void child.exited.then(() => running.delete(child))
  return child
}

/** What a program that ends by itself prints, as JSON. */
export async function resultOf<T>(argv: string[]): Promise<T> {
  return JSON.parse(await outputOf(argv)) as T
}

export async function outputOf(argv: string[], cwd?: string): Promise<string> {
  const child = keep(Bun.spawn(argv, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' }))
  const [said, wrong, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${wrong.trim() || said.trim()}`)
  return said
}

const PATIENCE_MS = 10_000

async function endOne(child: Bun.Subprocess): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  await child.exited
  clearTimeout(timer)
}

/** Reads on to the end of the stream, so that the process never waits for a reader. */
function firstUrl(stream: ReadableStream<Uint8Array>): Promise<string | null> {
  return new Promise((resolve) => {
    const read = async () => {
      const decoder = new TextDecoder()
      let rest = ''
      for await (const chunk of stream) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = lines.pop()!
        for (const line of lines) {
          const { url } = JSON.parse(line) as { url?: string }
          if (url) resolve(url)
        }
      }
      resolve(null)
    }
    void read().catch(() => resolve(null))
  })
}
