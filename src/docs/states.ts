import { join } from 'node:path'
import { NOTHING_READ, type Repo, type RepoState } from '../core/docs.ts'
import { shelfOf } from './engine.ts'
import { readIndex } from './file.ts'
import { stateIn } from './shelf.ts'

/** How far the search of each repo has come, as the index says beside a server that writes it. */
export function statesIn(dataDir: string, repos: Repo[]): RepoState[] {
  const db = readIndex(join(dataDir, 'docs.db'))
  try {
    return repos.map((repo) => (db ? stateIn(db, shelfOf(repo)) : NOTHING_READ))
  } finally {
    db?.close()
  }
}
