import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { secretsIn } from '../core/mcps/arguments.ts'
import type { StdioTarget } from '../core/mcps/mcp.ts'
import { answerId } from './answer-id.ts'
import { childEnvironment } from './child-environment.ts'
import { commandFor } from './command.ts'
import { CallFailed } from './connection.ts'
import { lastLines } from './last-lines.ts'
import { endGroup, MARK, noteChild } from './leftovers.ts'
import { linesOf } from './lines.ts'
import { masking } from './masked.ts'
import { pause } from './pause.ts'
import { signal } from './processes.ts'
import type { Environment } from './variables.ts'
import type { Failure, OpenWire } from './wire.ts'

export type StdioOptions = {
  /** The server's own: where `${VAR}` is looked up, and what little a child inherits. */
  environment: Environment
  /** Where living children are noted for `sweep`; null: nowhere, they would outlive a kill -9. */
  runDir: string | null
  limitBytes?: number
}

const LIMIT_BYTES = 32 * 1024 * 1024
const MOST_WAITING_BYTES = 64 * 1024 * 1024
const PATIENCE_MS = { stdin: 500, term: 2_000, lastWords: 250 }

/** A child process that speaks JSON-RPC line by line. It leads a process group of its own, which ends with the wire. */
export function stdioWire(target: StdioTarget, options: StdioOptions): OpenWire {
  const { environment, runDir, limitBytes = LIMIT_BYTES } = options
  return async (events) => {
    const declared = childEnvironment(target.env, environment)
    const { argv, env } = commandFor(target, declared.PATH)
    const secrets = [...Object.keys(target.env).map((name) => declared[name]!), ...secretsIn(target.args)]
    const printed = lastLines(masking(secrets))
    const mark = randomUUID()
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd: target.cwd ?? undefined,
      env: { ...declared, ...env, [MARK]: mark },
      detached: true,
      stdio: 'pipe',
    })
    const group = child.pid
    if (group === undefined) throw await whyNotStarted(child, target.command)
    const forget = remember(group, runDir, mark)

    let heard = false
    let wrote = false
    let gone: Failure | null = null
    let closing: Promise<void> | null = null
    let waiting = ''
    let scheduled = false

    const read = linesOf(limitBytes, {
      line(text) {
        if (!looksLikeJson(text)) return printed.add(`stdout: ${text}`)
        heard = true
        events.message(text, null)
      },
      tooLong(start, end) {
        printed.add(`stdout: a line of more than ${limitBytes} bytes, dropped: ${start}…`)
        const id = answerId(start, end)
        if (id !== null) events.failed(id, tooLarge(limitBytes))
      },
    })
    child.stdout!.on('data', read)
    child.stderr!.setEncoding('utf8').on('data', printed.write)
    for (const pipe of [child, child.stdin!, child.stdout!, child.stderr!]) pipe.on('error', () => {}) // its end says it all
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const drained = new Promise<void>((resolve) => child.stdout!.once('close', resolve).once('end', resolve))

    void exited.then(async () => {
      await Promise.race([drained, pause(PATIENCE_MS.lastWords)])
      closed(endOf(child, heard, wrote))
      await close() // of the others in its group
    })
    void drained.then(async () => {
      await Promise.race([exited, pause(PATIENCE_MS.stdin)])
      if (child.exitCode !== null || child.signalCode !== null) return
      closed(SPEECHLESS)
      await close()
    })

    function closed(failure: Failure): void {
      if (gone) return
      gone = failure
      events.closed(failure)
    }

    function flush(): void {
      scheduled = false
      if (gone || waiting === '' || child.stdin!.writableNeedDrain) return
      child.stdin!.write(waiting)
      waiting = ''
      wrote = true
    }
    child.stdin!.on('drain', flush)

    function close(): Promise<void> {
      closing ??= end()
      return closing
    }

    async function end(): Promise<void> {
      flush()
      closed(HUNG_UP)
      child.stdin!.end()
      await Promise.race([exited, pause(PATIENCE_MS.stdin)])
      await endGroup(group!, PATIENCE_MS.term)
      forget()
    }

    return {
      send(text, { id } = {}) {
        if (gone || waiting.length > MOST_WAITING_BYTES) {
          if (id !== undefined) events.failed(id, gone ? { ...gone, unsent: true } : NOT_READING)
          return
        }
        // A newline can stand in JSON only between tokens, where a space says the same.
        waiting += text.includes('\n') ? `${text.replace(/[\r\n]+/g, ' ')}\n` : `${text}\n`
        if (scheduled) return
        scheduled = true
        setImmediate(flush) // what comes in the same turn goes in the same write
      },
      stderr: printed.all,
      close,
    }
  }
}

const UNREACHABLE = { code: 'upstream_unavailable' } as const

const NOT_READING: Failure = {
  ...UNREACHABLE,
  stage: 'call',
  message: 'The MCP server does not read what it is sent.',
  unsent: true,
}

const SPEECHLESS: Failure = {
  ...UNREACHABLE,
  stage: 'session',
  message: "The MCP server's process closed its output.",
  unsent: false,
}

const HUNG_UP: Failure = {
  ...UNREACHABLE,
  stage: 'session',
  message: 'The connection to the MCP server was closed.',
  unsent: false,
}

/** Groups that would outlive us if the program ended without closing its wires. */
const living = new Set<number>()
process.once('exit', () => {
  for (const group of living) signal(-group, 'SIGKILL')
})

function remember(group: number, runDir: string | null, mark: string): () => void {
  living.add(group)
  try {
    const note = runDir === null ? null : noteChild(runDir, group, mark)
    return () => {
      living.delete(group)
      note?.forget()
    }
  } catch (error) {
    living.delete(group)
    signal(-group, 'SIGKILL') // it could not be found again after a crash
    throw error
  }
}

function whyNotStarted(child: ChildProcess, command: string): Promise<CallFailed> {
  return new Promise((resolve) =>
    child.once('error', ({ code }: { code?: string }) =>
      resolve(
        new CallFailed({
          ...UNREACHABLE,
          stage: 'start',
          message: `The command ${command} could not be started (${code}).`,
          unsent: true,
        }),
      ),
    ),
  )
}

function endOf(child: ChildProcess, heard: boolean, wrote: boolean): Failure {
  const how = child.signalCode ? `was ended by ${child.signalCode}` : `ended with exit code ${child.exitCode}`
  if (heard) return { ...UNREACHABLE, stage: 'session', message: `The MCP server's process ${how}.`, unsent: false }
  return {
    ...UNREACHABLE,
    stage: wrote ? 'handshake' : 'start',
    message: `The MCP server's process ${how} before it answered anything.`,
    unsent: !wrote,
  }
}

function tooLarge(limitBytes: number): Failure {
  const megabytes = Math.round(limitBytes / 1024 / 1024)
  return {
    ...UNREACHABLE,
    stage: 'call',
    message: `The MCP server's answer is larger than ${megabytes} MB.`,
    unsent: false,
  }
}

function looksLikeJson(line: string): boolean {
  const text = line.trim()
  return (text.startsWith('{') && text.endsWith('}')) || (text.startsWith('[') && text.endsWith(']'))
}
