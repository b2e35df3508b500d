import { docsWorker, manualFolder } from './assets.ts'
import type { Config } from './config.ts'
import type { Context } from './core/context.ts'
import type { Repo, RepoState } from './core/docs.ts'
import { inStep, type KeptLibrary } from './core/repos/in-step.ts'
import { openLibrary } from './docs/library.ts'
import type { Log } from './log.ts'

/** For the command line: what has been read, without reading. */
export async function repoStates(config: Config, repos: Repo[]): Promise<RepoState[]> {
  const { statesIn } = await import('./docs/states.ts')
  return statesIn(config.data_dir, repos)
}

/** The searchable documents of all workspaces. It begins to read at once, or in memory when it is first asked. */
export function libraryFor(ctx: Context, config: Config, log: Log, inMemory = false): KeptLibrary {
  const library = openLibrary({
    dataDir: inMemory ? null : config.data_dir,
    roots: config.docs_roots,
    manual: manualFolder(),
    worker: docsWorker(),
    lazy: inMemory,
    log,
  })
  return inStep(ctx.store, library)
}
