import { newFolder } from './claviger.ts'
import type { KeyFigures } from './inside/keys.ts'
import { installed } from './installed.ts'
import type { Options } from './options.ts'
import { resultOf, script } from './processes.ts'

export type Keys = KeyFigures & { betterAuthNote: string }

/** In a process of its own, as everything else. */
export async function measureKeys(options: Options, told: (text: string) => void): Promise<Keys> {
  const { rounds, seconds, manyKeys } = options
  const peer = options.peers ? await installed(BETTER_AUTH, told) : null
  told(`keys: ${manyKeys} in one database, 10 in another`)
  const given = { folders: [newFolder(), newFolder()], many: manyKeys, rounds, seconds, peer }
  const figures = await resultOf<KeyFigures>(script('inside/keys.ts', JSON.stringify(given)))
  return { ...figures, betterAuthNote: noteOn(peer, options) }
}

/** The two packages of one release; npm 10 stumbles over the many optional peers of theirs. */
const BETTER_AUTH = ['better-auth@1.7.5', '@better-auth/api-key@1.7.5']

function noteOn(peer: string | null, { peers }: Options): string {
  if (peer !== null) return `${BETTER_AUTH.join(', ')}, in memory, on the same Bun`
  return peers ? 'npm could not install it' : '`--peers` measures it'
}
