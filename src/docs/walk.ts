import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { MOST_FILE_BYTES } from '../core/docs.ts'
import type { Breath } from './breath.ts'
import { kindOf } from './kinds.ts'
import type { Stamp } from './shelf.ts'
import type { Skipped } from './skipped.ts'

const DEEPEST = 40
const MOST_FILES = 300_000
export const LEADS_OUT = 'The link leads out of the folder, or to what is hidden, and is not followed.'

/** What is read of a repo: what lies below its root, without the folder that is kept apart. */
export type Bounds = { root: string; apart: string | null }

/** Asked of where links lead. */
export function isInside({ root, apart }: Bounds, real: string): boolean {
  if (!isWithin(real, root) || (apart !== null && isWithin(real, apart))) return false
  return !relative(root, real)
    .split(sep)
    .some((name) => isHidden(name) && !VOLUME.test(name))
}

/** What no look enters by its own name. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules'
}

/** Kubernetes mounts a ConfigMap as links into a folder like `..2026_06_01_12_00_00.123456789`. */
const VOLUME = /^\.\.\d{4}_[\d_.]+$/

/** Every document below a folder, by its path with slashes. Links lead only to what lies in the folder anyway. */
export async function walk(bounds: Bounds, breath: Breath, skipped: Skipped): Promise<Map<string, Stamp>> {
  const { root } = bounds
  const found = new Map<string, Stamp>()
  const walked = new Set<string>()
  const links: { path: string; depth: number }[] = []
  const folders: { path: string; depth: number }[] = [{ path: '', depth: 0 }]

  for (let folder = next(); folder; folder = next()) {
    await breath.take()
    const { path: parent, depth } = folder
    const real = realOf(join(root, parent))
    if (real === null || walked.has(real) || !isInside(bounds, real)) continue
    walked.add(real)
    for (const entry of entriesOf(root, parent, skipped)) {
      if (isHidden(entry.name)) continue
      const path = parent === '' ? entry.name : `${parent}/${entry.name}`
      if (entry.isSymbolicLink()) follow(path, depth)
      else if (entry.isDirectory()) enter(path, depth)
      else if (entry.isFile()) add(path)
      if (breath.due()) await breath.take()
    }
  }
  return found

  /** Links come last: what they lead to has its own place by then, if it is not hidden. */
  function next() {
    return folders.pop() ?? links.pop()
  }

  function enter(path: string, depth: number): void {
    if (depth >= DEEPEST) skipped.add(path, `Folders deeper than ${DEEPEST} levels are not looked into.`)
    else folders.push({ path, depth: depth + 1 })
  }

  function follow(path: string, depth: number): void {
    const real = realOf(join(root, path))
    if (real === null) return skipped.add(path, 'The link leads nowhere.')
    if (!isInside(bounds, real)) return skipped.add(path, LEADS_OUT)
    const target = statSync(real, { throwIfNoEntry: false })
    if (target?.isDirectory() && depth < DEEPEST) links.push({ path, depth: depth + 1 })
    else if (target?.isFile()) add(path)
  }

  function add(path: string): void {
    if (kindOf(path) === null) return
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (!stat?.isFile()) return
    if (found.size >= MOST_FILES) return skipped.add(path, `A repo holds ${MOST_FILES} documents at most.`)
    if (stat.size > MOST_FILE_BYTES) return skipped.add(path, tooLarge(stat.size))
    found.set(path, { bytes: stat.size, mtimeMs: stat.mtimeMs })
  }
}

export function tooLarge(bytes: number): string {
  const inMb = (size: number) => Math.ceil(size / 1024 / 1024)
  return `It is ${inMb(bytes)} MB; a document may have ${inMb(MOST_FILE_BYTES)}.`
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** Null for what is not there, or cannot be looked at. */
export function realOf(path: string): string | null {
  try {
    return realpathSync.native(path)
  } catch {
    return null
  }
}

/** As search asks of what it has found. */
export function stampOf(root: string, path: string): Stamp | null {
  try {
    const link = lstatSync(join(root, path))
    const stat = link.isSymbolicLink() ? statSync(join(root, path)) : link
    return stat.isFile() ? { bytes: stat.size, mtimeMs: stat.mtimeMs } : null
  } catch {
    return null
  }
}

function entriesOf(root: string, parent: string, skipped: Skipped): Dirent[] {
  try {
    return readdirSync(join(root, parent), { withFileTypes: true })
  } catch (error) {
    const { code = 'error' } = error as { code?: string }
    if (parent === '') throw error
    skipped.add(parent, `The folder cannot be read (${code}).`)
    return []
  }
}
