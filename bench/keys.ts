import { newFolder } from './claviger.ts'
import type { KeyFigures } from './inside/keys.ts'
import type { Options } from './options.ts'
import { keep, script } from './processes.ts'

export type Keys = KeyFigures & { betterAuthPerSecond: number | null; betterAuthNote: string }

/** In a process of its own, as everything else. */
export async function measureKeys(options: Options, told: (text: string) => void): Promise<Keys> {
  told(`keys: ${options.manyKeys} in one database, 10 in another`)
  const { rounds, seconds, manyKeys } = options
  const figures = await result<KeyFigures>(
    script('inside/keys.ts', newFolder(), newFolder(), String(manyKeys), String(rounds), String(seconds)),
  )
  return { ...figures, ...(await betterAuth(options, told)) }
}

async function betterAuth({ peers, seconds }: Options, told: (text: string) => void) {
  if (!peers) return { betterAuthPerSecond: null, betterAuthNote: 'not measured (--peers does)' }
  const folder = newFolder()
  told('keys: installing better-auth and @better-auth/api-key with npm')
  try {
    await Bun.write(`${folder}/package.json`, '{"private": true}')
    await result(['npm', 'install', '--silent', '--ignore-scripts', 'better-auth', '@better-auth/api-key'], folder)
    const { perSecond } = await result<{ perSecond: number }>(
      script('inside/better-auth.ts', folder, String(seconds * 2)),
    )
    return { betterAuthPerSecond: perSecond, betterAuthNote: 'in memory, on the same Bun' }
  } catch (error) {
    return { betterAuthPerSecond: null, betterAuthNote: `not measured: ${(error as Error).message.split('\n')[0]}` }
  }
}

/** What a program prints last, as JSON. */
async function result<T>(argv: string[], cwd?: string): Promise<T> {
  const child = keep(Bun.spawn(argv, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' }))
  const [said, wrong, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (code !== 0) throw new Error(`${argv[0]} ended with ${code}: ${wrong.trim()}`)
  return (said === '' ? null : JSON.parse(said)) as T
}
