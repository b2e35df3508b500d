import { loadAddonsFrom } from './assets.ts'
import type { Config } from './config.ts'
import type { Context } from './core/context.ts'
import { deriveSecrets, Secret } from './core/secret.ts'
import { folderWithin } from './docs/roots.ts'
import { databaseFile, instanceSecret, makeDataDir } from './store/data-dir.ts'
import { openStore } from './store/open.ts'

/** Opens what the rules ask of the world, for the server and the command line alike. */
export function openContext(config: Config, now: () => Date, inMemory = false): { ctx: Context; migrated: string[] } {
  if (!inMemory) {
    makeDataDir(config.data_dir)
    loadAddonsFrom(config.data_dir)
  }
  const secret = inMemory
    ? (config.secret ?? new Secret('a secret for a database in memory'))
    : instanceSecret(config.data_dir, config.secret)
  const secrets = deriveSecrets(secret)
  const store = openStore(inMemory ? ':memory:' : databaseFile(config.data_dir), secrets, now())
  const ground = { roots: config.docs_roots, apart: config.data_dir }
  const folderAt = (path: string, forOperator: boolean) => folderWithin(ground, path, forOperator)
  return { ctx: { store, secrets, now, brand: config.key_prefix, folderAt }, migrated: store.migrated }
}
