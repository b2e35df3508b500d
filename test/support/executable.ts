import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'

const root = join(import.meta.dirname, '../..')
const kept = join(root, 'dist/.test')

/** Built once for each state of the sources, whoever asks first; ready under its name only when whole. */
export async function executable(): Promise<string> {
  const folder = join(kept, stateOfSources())
  const file = join(folder, process.platform === 'win32' ? 'claviger.exe' : 'claviger')
  if (!existsSync(file)) {
    removeOlder()
    const built = Bun.spawn([process.execPath, '--no-env-file', join(root, 'scripts/build.ts'), '--out', file], {
      stdout: 'ignore',
      stderr: 'pipe',
    })
    const [said, code] = await Promise.all([built.stderr.text(), built.exited])
    if (code !== 0) throw new Error(said)
  }
  utimesSync(folder, new Date(), new Date())
  return file
}

function stateOfSources(): string {
  const files = ['src', 'views', 'static', 'docs', 'scripts/build'].flatMap((folder) =>
    globSync(`${folder}/**/*`, { cwd: root }).filter((file) => statSync(join(root, file)).isFile()),
  )
  const hash = createHash('sha256').update(Bun.version)
  for (const file of [...files, 'scripts/build.ts', 'package.json', 'package-lock.json'].sort())
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 16)
}

const HOUR = 3_600_000

function removeOlder(): void {
  for (const name of existsSync(kept) ? readdirSync(kept) : []) {
    const folder = join(kept, name)
    const usedAt = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
    if (usedAt < Date.now() - HOUR) rmSync(folder, { recursive: true, force: true })
  }
}

/** A new empty folder, gone when the tests of the file are done. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-test-'))
  folders.push(folder)
  return folder
}
const folders: string[] = []
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export type Alone = Awaited<ReturnType<typeof alone>>
type Given = { env?: Record<string, string>; cwd?: string; through?: string[] }

/** The executable as the only file in an empty folder, with an empty home and nothing in PATH. */
export async function alone() {
  const folder = emptyFolder()
  const file = join(folder, 'claviger')
  copyFileSync(await executable(), file)
  const bare = { HOME: emptyFolder(), PATH: emptyFolder(), TMPDIR: emptyFolder() }

  function spawn(args: string[], { env = {}, cwd = folder, through = [] }: Given) {
    const child = Bun.spawn([...through, file, ...args], {
      cwd,
      env: { ...bare, ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    running.push(child)
    return child
  }

  return {
    file,
    folder,
    async run(args: string[], given: Given = {}) {
      const child = spawn(args, given)
      const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
      return { stdout, stderr, code }
    },
    /** Resolves once the log says that the server is ready. */
    async serve(dataDir: string, given: Given = {}) {
      const child = spawn(['serve', '--port', '0', '--data-dir', dataDir], given)
      const lines: string[] = []
      const readers: { wanted: (line: Line) => boolean; resolve: (line: Line) => void }[] = []
      const read = (async () => {
        for await (const line of linesOf(child.stdout)) {
          lines.push(line)
          const parsed = parsedOr(line)
          for (const reader of readers) if (parsed && reader.wanted(parsed)) reader.resolve(parsed)
        }
      })()
      const stderr = child.stderr.text()
      const logged = (message: string) =>
        new Promise<Line>((resolve, reject) => {
          const wanted = (line: Line) => line.message === message
          const before = lines.map(parsedOr).find((line) => line && wanted(line))
          if (before) return resolve(before)
          readers.push({ wanted, resolve })
          child.exited.then(async (code) => reject(new Error(`Exit ${code} before "${message}": ${await stderr}`)))
        })
      const { url } = await logged('Claviger is ready')
      return {
        pid: child.pid,
        url: url!,
        logged,
        async stop(signal: 'SIGTERM' | 'SIGKILL') {
          child.kill(signal)
          const code = await child.exited
          await read
          return { code, stdout: lines, stderr: await stderr }
        },
      }
    },
  }
}

type Line = { message: string; level: string; url?: string; migrations?: number }

function parsedOr(line: string): Line | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  if (rest) yield rest
}

const running: Bun.Subprocess[] = []
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
})

/** A command prefix under which one process sees an empty tmpfs in place of the folder. */
export function mounting(folder: string, options: string): string[] {
  const script = `/bin/mount -t tmpfs -o ${options} tmpfs '${folder}' && exec "$@"`
  return ['/usr/bin/unshare', '--map-root-user', '--mount', '/bin/sh', '-c', script, 'sh']
}

export async function mayMount(): Promise<boolean> {
  if (!existsSync('/usr/bin/unshare') || !existsSync('/bin/mount')) return false
  const tried = Bun.spawn([...mounting('/tmp', 'noexec'), '/bin/true'], { stdout: 'ignore', stderr: 'ignore' })
  return (await tried.exited) === 0
}
