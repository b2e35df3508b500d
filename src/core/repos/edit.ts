import type { Caller } from '../caller.ts'
import type { Context } from '../context.ts'
import type { Repo } from '../docs.ts'
import { newId } from '../ids.ts'
import type { Environment } from '../keys/key.ts'
import { invalid, Refusal } from '../refusal.ts'
import { demandRepos, repoFor, stayInEnvironment } from './reach.ts'
import { recorded, repoEntry } from './record.ts'

const NAME = /^[a-z0-9-]{1,64}$/
const ENVIRONMENTS: Environment[] = ['live', 'test']

export type NewRepo = {
  name: string
  /** Left out: a folder if a path is given, files otherwise. */
  source?: Repo['source'] | null
  path?: string | null
  environments?: Environment[] | null
}

export type RepoEdit = { name?: string; path?: string; environments?: Environment[] }

export async function addRepo(ctx: Context, caller: Caller, workspaceId: string, wanted: NewRepo): Promise<Repo> {
  await demandRepos(ctx, caller, workspaceId, 'repos.change')
  const source = wanted.source ?? (wanted.path == null ? 'files' : 'folder')
  const repo: Repo = {
    id: newId('rep', ctx.now()),
    workspaceId,
    name: checkRepoName(wanted.name),
    source,
    path: pathFor(ctx, caller, source, wanted.path ?? null),
    environments: checkEnvironments(wanted.environments ?? usualEnvironments(caller)),
    createdAt: ctx.now(),
    revision: 1,
  }
  stayInEnvironment(caller, repo.environments)
  if (!(await ctx.store.repos.add(repo, repoEntry(ctx, caller, 'repo.added', repo, null, recorded(repo)))))
    throw taken(caller, repo.name)
  return repo
}

/** A repo keeps its source: files that were sent would have no place in a folder. */
export async function editRepo(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  nameOrId: string,
  wanted: RepoEdit,
  seen?: number,
): Promise<Repo> {
  for (;;) {
    const repo = await repoToChange(ctx, caller, workspaceId, nameOrId)
    if (seen !== undefined && seen !== repo.revision) throw changedMeanwhile()
    const after: Repo = {
      ...repo,
      name: wanted.name === undefined ? repo.name : checkRepoName(wanted.name),
      path: wanted.path === undefined ? repo.path : pathFor(ctx, caller, repo.source, wanted.path),
      environments: wanted.environments === undefined ? repo.environments : checkEnvironments(wanted.environments),
      revision: repo.revision + 1,
    }
    stayInEnvironment(caller, after.environments)
    const entry = repoEntry(ctx, caller, 'repo.changed', after, recorded(repo), recorded(after))
    const outcome = await ctx.store.repos.change(after, entry)
    if (outcome === 'done') return after
    if (outcome === 'taken') throw taken(caller, after.name)
  }
}

/** Files that were sent to it go with it; a folder stays as it is. */
export async function removeRepo(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  nameOrId: string,
  seen?: number,
): Promise<Repo> {
  const repo = await repoToChange(ctx, caller, workspaceId, nameOrId)
  if (seen !== undefined && seen !== repo.revision) throw changedMeanwhile()
  await ctx.store.repos.remove(repo, repoEntry(ctx, caller, 'repo.removed', repo, recorded(repo), null))
  return repo
}

export async function repoToChange(ctx: Context, caller: Caller, workspaceId: string, nameOrId: string): Promise<Repo> {
  await demandRepos(ctx, caller, workspaceId, 'repos.change')
  const repo = await repoFor(ctx, caller, workspaceId, nameOrId)
  stayInEnvironment(caller, repo.environments)
  return repo
}

/** The roots hold live documents too, which a test key would read as a folder of its own. */
function pathFor(ctx: Context, caller: Caller, source: Repo['source'], path: string | null): string | null {
  if (path !== null && caller.kind === 'program' && caller.key.environment === 'test')
    throw new Refusal('forbidden', 'A test key adds no folder of the server. Send files instead, or use a live key.')
  if (source === 'folder') {
    if (path === null) throw invalid('path', 'Name the folder.')
    return ctx.folderAt(path, caller.kind === 'operator')
  }
  if (path !== null) throw invalid('path', 'Only a repo that is a folder of the server has a path.')
  return null
}

function checkRepoName(name: string): string {
  if (!NAME.test(name)) throw invalid('name', 'A name is 1 to 64 of a-z, 0-9 and -. It is part of docs://name/….')
  return name
}

function checkEnvironments(environments: Environment[]): Environment[] {
  const kept = ENVIRONMENTS.filter((one) => environments.includes(one))
  if (kept.length === 0) throw invalid('environments', 'Say which keys find it: live, test or both.')
  return kept
}

/** A person's repo is for the keys of everyday work unless they say otherwise. */
function usualEnvironments(caller: Caller): Environment[] {
  return [caller.kind === 'program' ? caller.key.environment : 'live']
}

/** A repo of that name may be one that the key does not see. */
function taken(caller: Caller, name: string): Refusal {
  if (caller.kind === 'program') return new Refusal('conflict', 'This name cannot be used. Choose another.')
  return new Refusal('conflict', `There is a repo called ${name} already. Choose another name.`)
}

function changedMeanwhile(): Refusal {
  return new Refusal('precondition_failed', 'The repo was changed meanwhile. Read it again and repeat the change.')
}
