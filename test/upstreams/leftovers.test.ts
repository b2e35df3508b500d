import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { noteChild, sweep } from '../../src/upstreams/leftovers.ts'
import { membersOf, startOf } from '../../src/upstreams/processes.ts'
import { CHILD, isAlive, untilGone } from './processes.ts'

const NOBODY = 2 ** 22 + 1 // beyond the highest process id of Linux

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'claviger-run-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'run')
}

/** A parent of its own with a stdio server, which it may leave behind. */
async function parentOf(command: string, args: string[]) {
  const runDir = folder()
  const program = [join(import.meta.dirname, 'fakes/parent.ts'), runDir, command, ...args]
  const parent = Bun.spawn([process.execPath, ...program], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const piece of parent.stdout) if (new TextDecoder().decode(piece).includes('ready')) break
  const group = Number(readdirSync(runDir)[0]!.replace('.json', ''))
  onTestFinished(() => {
    parent.kill('SIGKILL')
    for (const pid of membersOf(group)) process.kill(pid, 'SIGKILL')
  })
  return { runDir, parent, group }
}

/** A process with a group of its own that is none of ours. */
function stranger(env: Record<string, string> = {}): number {
  const { pid } = spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: { PATH: process.env.PATH, ...env } })
  onTestFinished(() => void process.kill(pid!, 'SIGKILL'))
  return pid!
}

function noteFor(dir: string, group: number, more: object): void {
  mkdirSync(dir, { recursive: true })
  const note = { group, start: startOf(group), mark: 'm', owner: { pid: NOBODY, start: 'long ago' }, ...more }
  writeFileSync(join(dir, `${group}.json`), JSON.stringify(note))
}

it('ends what a killed program left, grandchildren too', async () => {
  const { runDir, parent, group } = await parentOf('sh', ['-c', `"${process.execPath}" "${CHILD}" stays; true`])
  parent.kill('SIGKILL')
  await parent.exited
  expect(membersOf(group).length).toBeGreaterThan(1)
  expect(await sweep(runDir)).toBe(1)
  await untilGone(group)
  expect(readdirSync(runDir)).toEqual([])
})

it('ends the rest of a group whose leader is gone', async () => {
  const { runDir, parent, group } = await parentOf('sh', ['-c', `"${process.execPath}" "${CHILD}" stays; true`])
  parent.kill('SIGKILL')
  await parent.exited
  process.kill(group, 'SIGKILL')
  await expect.poll(() => isAlive(group)).toBe(false)
  expect(membersOf(group).length).toBeGreaterThan(0)
  expect(await sweep(runDir)).toBe(1)
  await untilGone(group)
})

it('ends those that ignore SIGTERM', async () => {
  const { runDir, parent, group } = await parentOf(process.execPath, [CHILD, 'deaf-to-sigterm'])
  parent.kill('SIGKILL')
  await parent.exited
  expect(await sweep(runDir)).toBe(1)
  await untilGone(group)
})

it('leaves the children of a program that lives', async () => {
  const { runDir, parent, group } = await parentOf(process.execPath, [CHILD, 'stays'])
  expect(await sweep(runDir)).toBe(0)
  expect(isAlive(parent.pid) && isAlive(group)).toBe(true)
  expect(readdirSync(runDir)).toHaveLength(1)
})

it('leaves nothing behind when the program simply exits', async () => {
  const { parent, group } = await parentOf(process.execPath, [CHILD, 'stays'])
  parent.kill('SIGUSR2')
  await parent.exited
  await untilGone(group)
})

it('spares a process that has the number of an old one', async () => {
  const dir = folder()
  const pid = stranger()
  noteFor(dir, pid, { start: `${startOf(pid)}0` })
  expect(await sweep(dir)).toBe(0)
  expect(isAlive(pid)).toBe(true)
  expect(readdirSync(dir)).toEqual([]) // the note was about somebody long gone
})

it('spares a group without our mark whose leader is gone', async () => {
  const dir = folder()
  const shell = spawn('sh', ['-c', 'sleep 300 & echo $!; exec sleep 300'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const member = Number(await new Promise((resolve) => shell.stdout.once('data', resolve)))
  onTestFinished(() => void process.kill(member, 'SIGKILL'))
  noteFor(dir, shell.pid!, {})
  process.kill(shell.pid!, 'SIGKILL')
  await new Promise((resolve) => shell.once('exit', resolve))
  expect(await sweep(dir)).toBe(0)
  expect(isAlive(member)).toBe(true)
})

it.each(['', '{"group":', '{}', '{"group":-1}', '{"group":1,"start":"x","owner":{}}', 'null', '[]'])(
  'survives a note that says %j',
  async (text) => {
    const dir = folder()
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, '77.json'), text)
    writeFileSync(join(dir, 'keep.txt'), 'not ours')
    expect(await sweep(dir)).toBe(0)
    expect(readdirSync(dir)).toEqual(['keep.txt'])
  },
)

it('has nothing to do where there is no folder', async () => {
  expect(await sweep(join(folder(), 'none'))).toBe(0)
})

it('keeps notes from other users, and forgets them', () => {
  const dir = folder()
  const note = noteChild(dir, stranger(), 'm')
  const [file] = readdirSync(dir).map((name) => join(dir, name))
  expect(JSON.parse(readFileSync(file!, 'utf8'))).toMatchObject({ owner: { pid: process.pid }, mark: 'm' })
  note.forget()
  expect(existsSync(file!)).toBe(false)
})
