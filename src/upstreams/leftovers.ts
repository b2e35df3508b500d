import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { carries, membersOf, signal, startOf } from './processes.ts'

/** Set in each child, with a value of its own: whoever carries it descends from that child. */
export const MARK = 'MCP_CHILD'

type Note = { group: number; start: string; mark: string; owner: { pid: number; start: string } }

const GRACE_MS = 1_000
const LOOK_AGAIN_MS = 20

/** Notes a living child, so that a successor can end its group if we are killed. Forget it once the group is gone. */
export function noteChild(dir: string, group: number, mark: string): { forget(): void } {
  const start = startOf(group)
  const own = startOf(process.pid)
  if (start === null || own === null) return { forget() {} } // it ended at once
  const file = join(dir, `${group}.json`)
  const note: Note = { group, start, mark, owner: { pid: process.pid, start: own } }
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeFileSync(file, JSON.stringify(note), { mode: 0o600 })
  return { forget: () => rmSync(file, { force: true }) }
}

/** Ends what a killed predecessor left running: only groups proven to be its children's. Tells how many there were. */
export async function sweep(dir: string): Promise<number> {
  const left: number[] = []
  for (const file of notesIn(dir)) {
    const note = read(file)
    if (note && startOf(note.owner.pid) === note.owner.start) continue // another Claviger's, and that one lives
    if (note && isOurs(note)) left.push(note.group)
    rmSync(file, { force: true })
  }
  await Promise.all(left.map((group) => endGroup(group, GRACE_MS)))
  return left.length
}

/** SIGTERM to all in the group, and SIGKILL to those that are still there when the time is over. */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  if (membersOf(group).length === 0) return
  signal(-group, 'SIGTERM')
  const until = performance.now() + graceMs
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    if (membersOf(group).length === 0) return
  }
  signal(-group, 'SIGKILL')
}

/** Its leader is the very process we noted; or, the leader being gone, a member carries the mark we gave it. */
function isOurs({ group, start, mark }: Note): boolean {
  const leader = startOf(group)
  if (leader !== null) return leader === start
  return membersOf(group).some((pid) => carries(pid, `${MARK}=${mark}`))
}

function notesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => /^\d+\.json$/.test(name))
      .map((name) => join(dir, name))
  } catch {
    return []
  }
}

function read(file: string): Note | null {
  try {
    const note = JSON.parse(readFileSync(file, 'utf8')) as Note
    const whole = Number.isInteger(note.group) && note.group > 1 && typeof note.start === 'string' && note.owner
    return whole ? note : null
  } catch {
    return null // cut off by the same kill
  }
}
