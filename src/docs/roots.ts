import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { invalid } from '../core/refusal.ts'
import { isWithin, realOf } from './walk.ts'

export type Ground = {
  /** Folders that repos may lie in. */
  roots: readonly string[]
  /** The data directory: files of all workspaces lie there, beside the secret, so it is nobody's documentation. */
  apart: string | null
}

/**
 * The folder itself, links followed. One answer for what is missing and what lies elsewhere: nobody explores the disk.
 * Where the roots are is told to the operator alone.
 */
export function folderWithin({ roots, apart }: Ground, path: string, forOperator = false): string {
  if (roots.length === 0)
    throw invalid(
      'path',
      'No folder may be read yet. Set CLAVIGER_DOCS_ROOTS to the folders that repos may lie in, such as /srv/docs, for the server and for this command.',
    )
  const folder = realOf(path)
  const allowed = (at: string) => roots.some((root) => liesIn(root, at)) && !(apart !== null && liesIn(apart, at))
  if (isAbsolute(path) && folder !== null && isFolder(folder) && allowed(folder)) return folder
  throw invalid(
    'path',
    `${path} is no folder inside ${forOperator ? roots.join(' or ') : 'those'} that CLAVIGER_DOCS_ROOTS names. Write the whole path.`,
  )
}

function liesIn(root: string, folder: string): boolean {
  const from = realOf(root)
  return from !== null && isWithin(folder, from)
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
