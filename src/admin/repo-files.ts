import { MOST_ZIP_BYTES } from '../core/docs.ts'
import { invalid, Refusal } from '../core/refusal.ts'
import { putRepoFile, putRepoZip, removeRepoFile } from '../core/repos/files.ts'
import { orAgain } from './again.ts'
import { goTo, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { filesIn, type SentFile, text } from './form.ts'
import { repoIn, showRepo } from './repos.ts'

/** Single files and zips alike, several at once; what was refused is named, the rest is there. */
export function uploadFiles(door: Door) {
  return async (visit: Inside) => {
    const { req, res, base } = visit
    const repo = await repoIn(door, visit)
    const sent = await filesIn(req, MOST_ZIP_BYTES)
    await orAgain(
      res,
      async () => {
        if (sent.length === 0) throw invalid('files', 'Choose a file first.')
        const refused: Awaited<ReturnType<typeof take>> = []
        for (const file of sent) refused.push(...(await take(door, visit, file))) // in memory one at a time
        if (refused.length === 0) return goTo(door, visit, `${base}/repos/${repo.name}`, 'repo-files-added')
        res.status(422)
        await showRepo(door, visit, repo, refused)
      },
      (errors) => showRepo(door, visit, repo, errors),
    )
  }
}

async function take(door: Door, { caller, workspace, req }: Inside, { name, bytes }: SentFile) {
  const where = [caller, workspace.id, String(req.params.repo)] as const
  try {
    if (!/\.zip$/i.test(name)) {
      await putRepoFile(door, ...where, name, await bytes())
      return []
    }
    const { skipped, skippedCount } = await putRepoZip(door, ...where, await bytes())
    const more = skippedCount - skipped.length
    return [
      ...skipped.map(({ path, why }) => ({ message: `${path} in ${name}: ${why}` })),
      ...(more > 0 ? [{ message: `${more} more in ${name} were passed over.` }] : []),
    ]
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'internal_error') throw error
    return [{ message: `${name}: ${error.message}` }]
  }
}

export function removeFilePage(door: Door) {
  return async (visit: Inside) => {
    const path = String(visit.req.query.path ?? '')
    show(door, visit, 'repos/remove-file', { repo: await repoIn(door, visit), path })
  }
}

export function removeFile(door: Door) {
  return async (visit: Inside) => {
    const repo = await repoIn(door, visit)
    await removeRepoFile(door, visit.caller, visit.workspace.id, repo.id, text(visit.req, 'path'))
    goTo(door, visit, `${visit.base}/repos/${repo.name}`, 'repo-file-removed')
  }
}
