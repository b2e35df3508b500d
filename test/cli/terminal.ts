import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { World } from '../../src/cli/command.ts'
import { run } from '../../src/cli/run.ts'
import { readConfig } from '../../src/config.ts'
import { openContext } from '../../src/context.ts'
import type { Context } from '../../src/core/context.ts'

export const PASSWORD = 'zebra-lantern-cobalt-41'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'claviger-cli-'))
  folders.push(made)
  return made
}

export type Said = { code: number; out: string; err: string }
type Sitting = { stdin?: string; answers?: string[]; env?: Record<string, string> }

/** A shell on a data directory of its own, with a clock that only the test moves. */
export function terminal({ dataDir = join(folder(), 'data') } = {}) {
  const clock = { now: new Date('2026-06-01T12:00:00Z') }

  /** What a person or script types; `answers`: what is typed unseen, which makes it a terminal. */
  async function type(argv: string[], { stdin = '', answers, env = {} }: Sitting = {}): Promise<Said> {
    const said = { out: '', err: '' }
    const left = [...(answers ?? [])]
    const world: World = {
      env: { CLAVIGER_DATA_DIR: dataDir, ...env },
      now: () => clock.now,
      out: (text) => {
        said.out += text
      },
      err: (text) => {
        said.err += text
      },
      isTerminal: false,
      canAsk: answers !== undefined,
      async ask(question) {
        said.err += question
        const answer = left.shift()
        if (answer === undefined) throw new Error('asked more often than answered')
        return answer
      },
      stdin: async () => stdin,
      onStop: () => {},
    }
    const code = await run(argv, world)
    return { code, ...said }
  }

  const claviger = (...argv: string[]): Promise<Said> => type(argv)

  /** Must succeed; what it prints on stdout. */
  async function good(...argv: string[]): Promise<string> {
    const { code, out, err } = await claviger(...argv)
    if (code !== 0) throw new Error(`claviger ${argv.join(' ')} → ${code}: ${err}`)
    return out
  }

  return {
    dataDir,
    type,
    claviger,
    good,
    /** Must succeed; what it prints, as data. */
    json: async (...argv: string[]) => JSON.parse(await good(...argv, '--json')),
    advance: (ms: number) => {
      clock.now = new Date(clock.now.getTime() + ms)
    },
    file(name: string, text: string): string {
      const path = join(folder(), name)
      writeFileSync(path, text)
      return path
    },
    user: (email: string, ...more: string[]) =>
      type(['users', 'create', '--email', email, '--password-file', '-', ...more], { stdin: `${PASSWORD}\n` }),
    /** Looks into the data directory, as a server would. */
    async inside<T>(work: (ctx: Context) => Promise<T>): Promise<T> {
      const { ctx } = openContext(readConfig({ env: { CLAVIGER_DATA_DIR: dataDir } }).config, () => clock.now)
      try {
        return await work(ctx)
      } finally {
        await ctx.store.close()
      }
    },
  }
}

export type Terminal = ReturnType<typeof terminal>

/** One line on stderr that says what to do, and no answer. */
export function refused(code: 1 | 2, says: RegExp | string) {
  return { code, out: '', err: expectLine(says) }
}

function expectLine(says: RegExp | string): unknown {
  return {
    asymmetricMatch: (text: string) =>
      text.endsWith('\n') &&
      text.indexOf('\n') === text.length - 1 &&
      (typeof says === 'string' ? text.includes(says) : says.test(text)),
    toString: () => 'Line',
    toAsymmetricMatcher: () => `one line with ${says}`,
  }
}
