import { newFolder } from './claviger.ts'
import { outputOf } from './processes.ts'

/** Packages of others, into a folder that goes with the bench: this project does not depend on them. Null: npm could not. */
export async function installed(packages: string[], told: (text: string) => void): Promise<string | null> {
  const folder = newFolder()
  told(`installing ${packages.join(' and ')} with npm`)
  try {
    await Bun.write(`${folder}/package.json`, '{"private": true}')
    await outputOf(
      ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps', ...packages],
      folder,
    )
    return folder
  } catch (error) {
    told(String((error as Error).message))
    return null
  }
}
