import { newFolder } from './claviger.ts'
import type { KeyFigures } from './inside/keys.ts'
import type { Options } from './options.ts'
import { outputOf, resultOf, script } from './processes.ts'

export type Keys = KeyFigures & { betterAuthNote: string }

/** In a process of its own, as everything else. */
export async function measureKeys(options: Options, told: (text: string) => void): Promise<Keys> {
  const { rounds, seconds, manyKeys } = options
  const { folder: peer, note } = options.peers ? await installed(told) : { folder: null, note: '`--peers` measures it' }
  told(`keys: ${manyKeys} in one database, 10 in another`)
  const given = { folders: [newFolder(), newFolder()], many: manyKeys, rounds, seconds, peer }
  const figures = await resultOf<KeyFigures>(script('inside/keys.ts', JSON.stringify(given)))
  return { ...figures, betterAuthNote: note }
}

/** The two packages of one release; npm 10 stumbles over the many optional peers of theirs. */
const BETTER_AUTH = ['better-auth@1.7.5', '@better-auth/api-key@1.7.5']

/** Into a folder that goes with the bench: this project does not depend on it. */
async function installed(told: (text: string) => void): Promise<{ folder: string | null; note: string }> {
  const folder = newFolder()
  told(`keys: installing ${BETTER_AUTH.join(' and ')} with npm`)
  try {
    await Bun.write(`${folder}/package.json`, '{"private": true}')
    await outputOf(
      ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps', ...BETTER_AUTH],
      folder,
    )
    return { folder, note: `${BETTER_AUTH.join(', ')}, in memory, on the same Bun` }
  } catch (error) {
    told(String((error as Error).message))
    return { folder: null, note: 'npm could not install it' }
  }
}
