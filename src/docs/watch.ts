import { type FSWatcher, watch } from 'node:fs'

export type Watch = { close(): void }

const QUIET_MS = 200
const LONGEST_MS = 2_000

/** Tells once after a burst of changes. Says nothing where the system cannot watch: that is no fault. */
export function watchFolder(folder: string, changed: () => void): Watch {
  let quiet: ReturnType<typeof setTimeout> | null = null
  let firstAt = 0
  let watcher: FSWatcher | null = null

  function hear(): void {
    const now = performance.now()
    if (quiet === null) firstAt = now
    else clearTimeout(quiet)
    quiet = setTimeout(tell, Math.max(0, Math.min(QUIET_MS, firstAt + LONGEST_MS - now)))
    quiet.unref()
  }

  function tell(): void {
    quiet = null
    changed()
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
