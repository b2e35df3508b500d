import type { Environment } from './keys/key.ts'

/** A body of documentation that a workspace makes searchable. */
export type Repo = {
  id: string
  workspaceId: string
  /** `[a-z0-9-]{1,64}`, one of its kind in its workspace; it is `{repo}` in `docs://{repo}/{path}`. */
  name: string
  /** The product's own manual, a folder on the server's disk, or files that were sent to us. */
  source: 'manual' | 'folder' | 'files'
  /** Of a folder alone. */
  path: string | null
  environments: Environment[]
  createdAt: Date
  revision: number
}

export type RepoState = {
  documents: number
  sections: number
  /** When what can be found last changed. */
  updatedAt: Date | null
  /** While its files are being read; the total is unknown until all have been seen. */
  indexing: { done: number; total: number | null } | null
  /** Files that are not searchable, a hundred at most, with a sentence each. */
  skipped: { path: string; why: string }[]
  skippedCount: number
  /** Why the whole of it cannot be read just now, in a sentence. */
  failure: string | null
}

export const NOTHING_READ: RepoState = {
  documents: 0,
  sections: 0,
  updatedAt: null,
  indexing: null,
  skipped: [],
  skippedCount: 0,
  failure: null,
}

/** One section that answers a query. `id` is the document's; `heading` names the section within it. */
export type Hit = {
  id: string
  repo: string
  path: string
  title: string
  heading: string
  /** Of the section, as links to it have it. */
  anchor: string
  snippet: string
  score: number
}

export type DocPart = {
  id: string
  repo: string
  path: string
  title: string
  content: string
  nextOffset: number | null
  sections: string[]
}

export type DocName = { id: string } | { repo: string; path: string }

export type DocLine = { id: string; path: string; title: string; bytes: number }

export type ListRequest = { limit: number; cursor?: string | null; prefix?: string }

export type ZipOutcome = { added: number; skipped: { path: string; why: string }[]; skippedCount: number }

/** What may be sent to a repo of files, also for those who limit bodies. */
export const MOST_FILE_BYTES = 10 * 1024 * 1024
export const MOST_ZIP_BYTES = 100 * 1024 * 1024
/** What repos of files may hold in all. */
export const MOST_KEPT_BYTES = { repo: 1024 ** 3, workspace: 5 * 1024 ** 3 }

export const DOCUMENT_KINDS = ['.md', '.markdown', '.mdx', '.txt', '.text', '.rst', '.html', '.htm'] as const

/** The searchable library. It knows files, text and search; who may see which repo was decided before it is asked. */
export type Library = {
  /** Which repos there are now, of all workspaces: starts, changes and ends their indexing. Cheap when nothing changed. */
  keep(repos: Repo[]): void
  state(repo: Repo): Promise<RepoState>
  /** The best first. Never throws for what the query says. */
  search(repos: Repo[], query: string, limit: number): Promise<Hit[]>
  /** Null if there is no such document in these repos, or no such section in it. */
  read(repos: Repo[], which: DocName, part?: { section?: string; offset?: number }): Promise<DocPart | null>
  /** In the order of their paths. */
  list(repo: Repo, page: ListRequest): Promise<{ items: DocLine[]; nextCursor: string | null }>
  /** Searchable once resolved. A Refusal says what is wrong with the name, the kind or the size. Takes the bytes over. */
  putFile(repo: Repo, path: string, bytes: Uint8Array): Promise<DocLine>
  /** Adds to what is there, replacing files of the same name; all of it or, with a Refusal, nothing. Takes the bytes over. */
  putZip(repo: Repo, bytes: Uint8Array): Promise<ZipOutcome>
  /** False if there is no such file. */
  removeFile(repo: Repo, path: string): Promise<boolean>
  /** Looks at the files now; resolves once what they say can be found. */
  refresh(repo: Repo): Promise<RepoState>
  /** Told when documents came, changed or went. Returns how to stop. */
  onChange(hear: (repoIds: string[]) => void): () => void
  close(): Promise<void>
}
