import { type ChildProcess, spawn } from 'node:child_process'

export type Ended = { code: number | null; stdout: string; stderr: string; all: string }
export type Spawn = { env: Record<string, string>; cwd: string; seconds?: number; stdin?: string }

/** Each leads a process group, so that what it started ends with it. */
const living = new Set<ChildProcess>()
process.once('exit', endAll)

export function endAll(): void {
  for (const child of living) endGroup(child)
}

function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {} // it has ended, and all it started
}

export type Running = Awaited<ReturnType<typeof begin>>

/** A process whose output is collected while it runs. */
export function begin(command: string, args: string[], { env, cwd, seconds = 60, stdin }: Spawn) {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: 'pipe' })
  living.add(child)
  let stdout = ''
  let stderr = ''
  let all = ''
  const watching = new Set<() => void>()
  const take = (text: string) => {
    all += text
    for (const look of watching) look()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    take(text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    take(text)
  })
  child.stdin.on('error', () => {}) // its end says it all
  if (stdin !== undefined) child.stdin.end(stdin)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      living.delete(child)
      endGroup(child)
      resolve({ code, stdout, stderr, all })
    })
  })
  ended.catch(() => {})
  const timer = setTimeout(() => endGroup(child), seconds * 1000)

  return {
    ended,
    printed: () => all,
    write: (text: string) => child.stdin.write(text),
    /** What has matched, as soon as it is printed. */
    until: (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(all)
          if (!match) return
          watching.delete(look)
          resolve(match)
        }
        watching.add(look)
        look()
        ended.then(
          ({ code }) =>
            reject(new Error(`${command} ended (${code}) before it printed ${pattern}:\n${all.slice(-3000)}`)),
          reject,
        )
      }),
    async end() {
      endGroup(child)
      return ended
    },
  }
}

export function run(command: string, args: string[], options: Spawn): Promise<Ended> {
  return begin(command, args, { stdin: '', ...options }).ended
}
