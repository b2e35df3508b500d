import type { Repo, RepoState } from '../docs.ts'
import type { Environment } from '../keys/key.ts'

export type ShownRepo = {
  id: string
  name: string
  source: Repo['source']
  path: string | null
  environments: Environment[]
  documents: number
  sections: number
  updated_at: string | null
  indexing: { done: number; total: number | null } | null
  skipped: { path: string; why: string }[]
  skipped_count: number
  failure: string | null
  created_at: string
}

/** A repo as every door shows it, with how far its search has come. */
export function shownRepo(repo: Repo, state: RepoState): ShownRepo {
  const { id, name, source, path, environments } = repo
  return {
    id,
    name,
    source,
    path,
    environments,
    documents: state.documents,
    sections: state.sections,
    updated_at: state.updatedAt?.toISOString() ?? null,
    indexing: state.indexing,
    skipped: state.skipped,
    skipped_count: state.skippedCount,
    failure: state.failure,
    created_at: repo.createdAt.toISOString(),
  }
}
