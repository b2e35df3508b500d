import { type FSWatcher, watch } from 'node:fs'
import { sep } from 'node:path'
import { isHidden } from './walk.ts'

export type Watch = { close(): void }

const QUIET_MS = 200
const LONGEST_MS = 2_000
const MOST_PATHS = 50

/**
 * Tells once after a burst of changes: which paths, or null for more than are worth a look each. Says nothing where the
 * system cannot watch: that is no fault.
 */
export function watchFolder(folder: string, changed: (paths: string[] | null) => void): Watch {
  let paths: Set<string> | null = new Set()
  let quiet: ReturnType<typeof setTimeout> | null = null
  let firstAt = 0
  let watcher: FSWatcher | null = null

  function hear(_event: string, name: string | null): void {
    const path = name?.split(sep).join('/') ?? null
    if (path?.split('/').some(isHidden)) return // a repository at work, or a file on its way to its place
    if (path === null) paths = null
    else paths?.add(path)
    if (paths && paths.size > MOST_PATHS) paths = null
    const now = performance.now()
    if (quiet === null) firstAt = now
    else clearTimeout(quiet)
    quiet = setTimeout(tell, Math.max(0, Math.min(QUIET_MS, firstAt + LONGEST_MS - now)))
    quiet.unref()
  }

  function tell(): void {
    quiet = null
    const told = paths && [...paths]
    paths = new Set()
    changed(told)
  }

  function close(): void {
    if (quiet !== null) clearTimeout(quiet)
    watcher?.close()
    watcher = null
  }

  try {
    watcher = watch(folder, { recursive: true, persistent: false }, hear)
    watcher.on('error', close) // the folder is gone, or there are more of them than the system watches
  } catch {
    // looked at now and then instead
  }
  return { close }
}
