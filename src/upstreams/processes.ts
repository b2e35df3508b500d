import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

type Seen = { pid: number; state: string; group: number; session: number; start: string }

/** When a process began, so exactly that no later one under the same number can be taken for it. Null: it is gone. */
export function startOf(pid: number): string | null {
  if (process.platform === 'linux') {
    const seen = stat(pid)
    return seen && seen.state !== 'Z' ? `${boot()}/${seen.start}` : null
  }
  const told = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim()
  return told || null
}

/** Who lives in a process group; the dead that nobody collected yet do not count. */
export function membersOf(group: number): number[] {
  if (!signal(-group, 0)) return []
  if (process.platform !== 'linux') return [group]
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => stat(Number(name)))
    .filter((seen) => seen !== null && seen.group === group && seen.state !== 'Z')
    .map((seen) => seen!.pid)
}

/** Whether the process was started with this variable, which only we could have given it. */
export function carries(pid: number, variable: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable)
  } catch {
    return false
  }
}

/** False when there is nobody to hear it. A negative number speaks to a whole group. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}

function stat(pid: number): Seen | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command's name comes second, in brackets, and may hold anything, brackets and spaces too.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { pid, state: fields[0]!, group: Number(fields[2]), session: Number(fields[3]), start: fields[19]! }
  } catch {
    return null
  }
}

let bootId: string | null = null

function boot(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return bootId
}
