import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import type { DocLine, Library, Repo, ZipOutcome } from '../docs.ts'
import { Refusal } from '../refusal.ts'
import { repoToChange } from './edit.ts'
import { repoEntry } from './record.ts'

/** What changes the files of a repo needs beside the context. */
type Shelves = { ctx: Context; library: Library }

/** Searchable once it is answered. */
export async function putRepoFile(
  { ctx, library }: Shelves,
  caller: Caller,
  workspaceId: string,
  nameOrId: string,
  path: string,
  bytes: Uint8Array,
): Promise<{ repo: Repo; file: DocLine }> {
  const repo = await repoOfFiles(ctx, caller, workspaceId, nameOrId)
  const size = bytes.length // nothing is left of them once they are handed over
  const file = await library.putFile(repo, path, bytes)
  const after = { path: file.path, bytes: size }
  await ctx.store.audit.add(repoEntry(ctx, caller, 'repo.file_put', repo, null, after))
  return { repo, file }
}

export async function putRepoZip(
  { ctx, library }: Shelves,
  caller: Caller,
  workspaceId: string,
  nameOrId: string,
  bytes: Uint8Array,
): Promise<ZipOutcome> {
  const repo = await repoOfFiles(ctx, caller, workspaceId, nameOrId)
  const size = bytes.length
  const outcome = await library.putZip(repo, bytes)
  const after = { added: outcome.added, skipped: outcome.skippedCount, bytes: size }
  await ctx.store.audit.add(repoEntry(ctx, caller, 'repo.zip_put', repo, null, after))
  return outcome
}

export async function removeRepoFile(
  { ctx, library }: Shelves,
  caller: Caller,
  workspaceId: string,
  nameOrId: string,
  path: string,
): Promise<void> {
  const repo = await repoOfFiles(ctx, caller, workspaceId, nameOrId)
  if (!(await library.removeFile(repo, path)))
    throw new Refusal('not_found', `There is no file ${path} in ${repo.name}.`)
  await ctx.store.audit.add(repoEntry(ctx, caller, 'repo.file_removed', repo, { path }, null))
}

async function repoOfFiles(ctx: Context, caller: Caller, workspaceId: string, nameOrId: string): Promise<Repo> {
  const repo = await repoToChange(ctx, caller, workspaceId, nameOrId)
  if (repo.source === 'files') return repo
  throw new Refusal(
    'conflict',
    repo.source === 'folder'
      ? `${repo.name} is a folder of the server: change the files there. They are noticed by themselves.`
      : `${repo.name} is the manual of Claviger, which comes with it. Make a repo of files for your own.`,
  )
}
