import { type Repo as ARepo, MOST_FILE_BYTES, MOST_ZIP_BYTES } from '../core/docs.ts'
import { Refusal } from '../core/refusal.ts'
import { addRepo, editRepo, removeRepo } from '../core/repos/edit.ts'
import { putRepoFile, putRepoZip, removeRepoFile } from '../core/repos/files.ts'
import { demandRepos, repoFor, reposFor } from '../core/repos/reach.ts'
import { shownRepo } from '../core/repos/shown.ts'
import { openCursor, sealCursor } from '../http/cursor.ts'
import {
  fileListQuery,
  fileQuery,
  newRepoBody,
  Repo,
  RepoDocument,
  RepoFile,
  repoChangeBody,
  repoQuery,
  ZipTaken,
} from '../http/repo-schemas.ts'
import { listOf, noBody } from '../http/schemas.ts'
import type { Door } from './door.ts'
import { type Answer, type Asked, endpoint } from './operation.ts'

export const listRepos = endpoint(
  {
    id: 'listRepos',
    summary: 'List repos',
    about: 'Those of the calling key’s environment, by name.',
    power: 'repos.see',
    query: repoQuery,
    answer: { status: 200, about: 'A page of repos.', schema: listOf(Repo) },
  },
  async (door, { caller, workspaceId, query }) => {
    const { secrets } = door.ctx
    const where = `repos ${workspaceId}`
    const after = query.cursor === undefined ? '' : openCursor(secrets, where, query.cursor)
    const rest = (await reposFor(door.ctx, caller, workspaceId)).filter(({ name }) => name > after)
    const page = rest.slice(0, query.limit)
    const next = rest.length > page.length ? sealCursor(secrets, where, page.at(-1)!.name) : null
    return { body: { data: await Promise.all(page.map((repo) => shown(door, repo))), next_cursor: next } }
  },
)

export const createRepo = endpoint(
  {
    id: 'createRepo',
    summary: 'Add a repo',
    about:
      'A folder on the server’s disk, whose changes are noticed; or, without a path, files that are sent to it. Reading begins at once and goes on after the answer.',
    power: 'repos.change',
    body: newRepoBody,
    example: { name: 'handbook', environments: ['live'] },
    creates: true,
    answer: { status: 201, about: 'The repo.', schema: Repo, tagged: true },
    refusals: ['conflict'],
  },
  async (door, { caller, workspaceId, body }) => {
    const repo = await addRepo(door.ctx, caller, workspaceId, body)
    return { ...(await answer(door, repo)), location: `/api/v1/repos/${repo.name}` }
  },
)

export const getRepo = endpoint(
  {
    id: 'getRepo',
    summary: 'Read a repo',
    about: 'By name or id.',
    power: 'repos.see',
    answer: { status: 200, about: 'The repo.', schema: Repo, tagged: true },
  },
  async (door, asked) => answer(door, await seen(door, asked)),
)

export const changeRepo = endpoint(
  {
    id: 'changeRepo',
    summary: 'Change a repo',
    about: 'A new name changes the addresses of its documents.',
    power: 'repos.change',
    body: repoChangeBody,
    example: { environments: ['live', 'test'] },
    changes: true,
    answer: { status: 200, about: 'The repo as it is now.', schema: Repo, tagged: true },
    refusals: ['conflict'],
  },
  async (door, { caller, workspaceId, id, body, seen: read }) =>
    answer(door, await editRepo(door.ctx, caller, workspaceId, id, given(body), read)),
)

export const deleteRepo = endpoint(
  {
    id: 'deleteRepo',
    summary: 'Remove a repo',
    about:
      'Nothing of it is found from the next search on. Files that were sent to it go too; a folder stays as it is.',
    power: 'repos.change',
    changes: true,
    answer: { status: 204, about: 'It is gone.' },
  },
  async ({ ctx, library }, { caller, workspaceId, id, seen: read }) => {
    await removeRepo(ctx, caller, workspaceId, id, read)
    await library.look()
    return { body: null }
  },
)

export const refreshRepo = endpoint(
  {
    id: 'refreshRepo',
    summary: 'Look at the files of a repo',
    about: 'Now, instead of when a change is noticed; answers once what they say can be found.',
    power: 'repos.see',
    body: noBody,
    bodyIsOptional: true,
    answer: { status: 200, about: 'The repo.', schema: Repo },
  },
  async (door, asked) => {
    const repo = await seen(door, asked)
    return { body: shownRepo(repo, await door.library.refresh(repo)) }
  },
)

export const listRepoFiles = endpoint(
  {
    id: 'listRepoFiles',
    summary: 'List the documents of a repo',
    about: 'By path.',
    power: 'repos.see',
    query: fileListQuery,
    answer: { status: 200, about: 'A page of documents.', schema: listOf(RepoFile) },
  },
  async (door, asked) => {
    const { items, nextCursor } = await door.library.list(await seen(door, asked), asked.query)
    return { body: { data: items, next_cursor: nextCursor } }
  },
)

export const addRepoFiles = endpoint(
  {
    id: 'addRepoFiles',
    summary: 'Add the files of a zip',
    about: 'They replace files of the same path; the others stay. What is no document is passed over, with the reason.',
    power: 'repos.change',
    upload: { type: 'application/zip', most: MOST_ZIP_BYTES },
    answer: { status: 200, about: 'What was taken. All of it can be found now.', schema: ZipTaken },
    refusals: ['conflict'],
  },
  async (door, { caller, workspaceId, id, bytes }) => {
    const { added, skipped, skippedCount } = await putRepoZip(door, caller, workspaceId, id, bytes)
    return { body: { added, skipped, skipped_count: skippedCount } }
  },
)

export const getRepoFile = endpoint(
  {
    id: 'getRepoFile',
    summary: 'Read a document',
    about: 'As text, in parts where it is large.',
    power: 'repos.see',
    query: fileQuery,
    answer: { status: 200, about: 'The document, or a part of it.', schema: RepoDocument },
  },
  async (door, asked) => {
    const repo = await seen(door, asked)
    const found = await door.library.read([repo], { repo: repo.name, path: asked.path }, asked.query)
    if (!found) throw new Refusal('not_found', `There is no such document in ${repo.name}.`)
    const { nextOffset, ...part } = found
    return { body: { ...part, next_offset: nextOffset } }
  },
)

export const putFile = endpoint(
  {
    id: 'putRepoFile',
    summary: 'Add or replace a file',
    about:
      'The body is the file as it is: Markdown, MDX, text, reStructuredText or HTML, as the end of its path says. The path may have slashes.',
    power: 'repos.change',
    upload: { type: 'text/markdown', most: MOST_FILE_BYTES },
    answer: { status: 200, about: 'The document. It can be found now.', schema: RepoFile },
    refusals: ['conflict'],
  },
  async (door, { caller, workspaceId, id, path, bytes }) => ({
    body: (await putRepoFile(door, caller, workspaceId, id, path, bytes)).file,
  }),
)

export const deleteFile = endpoint(
  {
    id: 'deleteRepoFile',
    summary: 'Remove a file',
    about: 'It is gone from the next search.',
    power: 'repos.change',
    answer: { status: 204, about: 'It is gone.' },
  },
  async (door, { caller, workspaceId, id, path }) => {
    await removeRepoFile(door, caller, workspaceId, id, path)
    return { body: null }
  },
)

type About = Pick<Asked<unknown, unknown>, 'caller' | 'workspaceId' | 'id'>

async function seen({ ctx }: Door, { caller, workspaceId, id }: About): Promise<ARepo> {
  await demandRepos(ctx, caller, workspaceId, 'repos.see')
  return repoFor(ctx, caller, workspaceId, id)
}

async function shown({ library }: Door, repo: ARepo): Promise<object> {
  return shownRepo(repo, await library.state(repo))
}

async function answer(door: Door, repo: ARepo): Promise<Answer> {
  return { body: await shown(door, repo), revision: repo.revision }
}

/** Without the members that were left out. */
function given<T extends object>(body: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as never
}
