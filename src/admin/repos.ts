import type { Request } from 'express'
import { mayDo } from '../core/caller.ts'
import { type DocLine, type Hit, MOST_FILE_BYTES, MOST_ZIP_BYTES, type Repo } from '../core/docs.ts'
import type { Environment } from '../core/keys/key.ts'
import { Refusal } from '../core/refusal.ts'
import { addRepo, editRepo, removeRepo } from '../core/repos/edit.ts'
import { repoFor } from '../core/repos/reach.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, show, showPiece } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { several, text } from './form.ts'

const AT_ONCE = 100
const MOST_HITS = 8

/** With `q` it answers with what a client would find, so that one can try a search where the repos are. */
export function reposPage(door: Door) {
  return async (visit: Inside) => {
    const { library, ctx } = door
    const repos = await ctx.store.repos.list(visit.workspace.id)
    const q = String(visit.req.query.q ?? '').slice(0, 500)
    const piece = visit.req.query.q === undefined ? 'repos/list' : 'repos/hits'
    showPiece(door, visit, piece, 'repos/index', {
      repos: await Promise.all(repos.map(async (repo) => ({ ...repo, state: await library.state(repo) }))),
      mayChange: mayDo(visit.caller, 'repos.change'),
      server: (await ctx.store.mcps.list(visit.workspace.id)).find(({ transport }) => transport === 'builtin') ?? null,
      q,
      hits: q.trim() === '' ? null : (await library.search(repos, q, MOST_HITS)).map((hit) => withPage(hit, repos)),
    })
  }
}

/** A page of the manual can be opened beside what was found in it. */
function withPage(hit: Hit, repos: Repo[]) {
  const inManual = repos.some(({ name, source }) => name === hit.repo && source === 'manual')
  return { ...hit, href: inManual ? `/docs/${hit.path.replace(/\.md$/, '')}${hit.anchor && `#${hit.anchor}`}` : null }
}

export function newRepoPage(door: Door) {
  return (visit: Inside) => showForm(door, visit, BLANK, [])
}

export function createRepo(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    const form = formIn(req)
    await orAgain(
      res,
      async () => {
        const { name } = await addRepo(door.ctx, caller, workspace.id, {
          name: form.name,
          source: form.source,
          path: form.source === 'folder' ? form.path : null,
          environments: form.environments,
        })
        goTo(door, visit, `${base}/repos/${name}`, 'repo-added')
      },
      (errors) => showForm(door, visit, form, errors),
    )
  }
}

function showForm(door: Door, visit: Inside, form: RepoForm, errors: Wrong) {
  show(door, visit, 'repos/new', { form, errors })
}

export function repoPage(door: Door) {
  return async (visit: Inside) => showRepo(door, visit, await repoIn(door, visit), [])
}

/** The part of the page that asks for itself again while files are being read. */
export function repoState(door: Door) {
  return async (visit: Inside) => {
    const repo = await repoIn(door, visit)
    showPiece(door, visit, 'repos/state', 'repos/show', await shownOn(door, visit, repo))
  }
}

export async function showRepo(door: Door, visit: Inside, repo: Repo, errors: Wrong, form = repo) {
  show(door, visit, 'repos/show', { ...(await shownOn(door, visit, repo)), form, errors })
}

async function shownOn({ library }: Door, visit: Inside, repo: Repo) {
  const after = text({ body: visit.req.query } as Request, 'after') || null
  const [state, files] = await Promise.all([
    library.state(repo),
    library.list(repo, { limit: AT_ONCE, cursor: after }).catch(noneIfUnreadable),
  ])
  return {
    repo,
    form: repo,
    state,
    files: files.items,
    first: after === null,
    next: files.nextCursor && `${visit.base}/repos/${repo.name}?${new URLSearchParams({ after: files.nextCursor })}`,
    mayChange: mayDo(visit.caller, 'repos.change'),
    most: { file: MOST_FILE_BYTES, zip: MOST_ZIP_BYTES },
    errors: [],
  }
}

/** The state of the repo says why. */
function noneIfUnreadable(error: unknown): { items: DocLine[]; nextCursor: string | null } {
  if (error instanceof Refusal && error.code === 'upstream_unavailable') return { items: [], nextCursor: null }
  throw error
}

export function changeRepo(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    const repo = await repoIn(door, visit)
    const { name, environments } = formIn(req)
    await orAgain(
      res,
      async () => {
        const changed = await editRepo(door.ctx, caller, workspace.id, repo.id, { name, environments })
        goTo(door, visit, `${base}/repos/${changed.name}`, 'repo-changed')
      },
      (errors) => showRepo(door, visit, repo, errors, { ...repo, name, environments }),
    )
  }
}

/** Its answer is the page as the files are now. */
export function refreshRepo(door: Door) {
  return async (visit: Inside) => {
    const repo = await repoIn(door, visit)
    await door.library.refresh(repo)
    goTo(door, visit, `${visit.base}/repos/${repo.name}`)
  }
}

export function removeRepoPage(door: Door) {
  return async (visit: Inside) => {
    const repo = await repoIn(door, visit)
    show(door, visit, 'repos/remove', { repo, state: await door.library.state(repo) })
  }
}

export function removeRepoForGood(door: Door) {
  return async (visit: Inside) => {
    await removeRepo(door.ctx, visit.caller, visit.workspace.id, String(visit.req.params.repo))
    await door.library.look()
    goTo(door, visit, `${visit.base}/repos`, 'repo-removed')
  }
}

export function repoIn({ ctx }: Door, { caller, workspace, req }: Inside): Promise<Repo> {
  return repoFor(ctx, caller, workspace.id, String(req.params.repo))
}

type RepoForm = { name: string; source: Repo['source']; path: string; environments: Environment[] }
const BLANK: RepoForm = { name: '', source: 'files', path: '', environments: ['live'] }

function formIn(req: Request): RepoForm {
  const source = text(req, 'source')
  return {
    name: text(req, 'name'),
    source: source === 'folder' || source === 'manual' ? source : 'files',
    path: text(req, 'path'),
    environments: several(req, 'environments').filter((one): one is Environment => one === 'live' || one === 'test'),
  }
}
