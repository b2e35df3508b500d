import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StdioTarget } from '../../src/core/mcps/mcp.ts'
import { membersOf } from '../../src/upstreams/processes.ts'

export const CHILD = join(import.meta.dirname, 'fakes/child.ts')
const PARENT_LOOKS_EVERY_MS = 10

export function target(command: string, args: string[], more: Partial<StdioTarget> = {}): StdioTarget {
  return { kind: 'stdio', command, args, env: {}, cwd: null, ...more }
}

/** The misbehaving child of `fakes/child.ts`, run by this Bun. */
export function fake(manner: string, more: Partial<StdioTarget> = {}): StdioTarget {
  return target(process.execPath, [CHILD, manner], more)
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** /proc tells nobody of an end, so it is asked again and again. */
export async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid) || membersOf(pid).length > 0) await Bun.sleep(PARENT_LOOKS_EVERY_MS)
}
