import { lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MOST_FILE_BYTES, type RepoState } from '../core/docs.ts'
import { type Breath, breathing } from './breath.ts'
import { whyNot } from './failure.ts'
import { type Db, isOfDatabase } from './file.ts'
import { kindOf, textIn } from './kinds.ts'
import { documentOf, Unreadable } from './sections.ts'
import { type DocumentRow, type Shelf, type Stamp, stateIn } from './shelf.ts'
import { type Skipped, skippedFiles } from './skipped.ts'
import type { Source } from './source.ts'
import { realOf } from './walk.ts'
import { type Watch, watchFolder } from './watch.ts'

export type Keeper = ReturnType<typeof keeperOf>

type Options = { db: Db; shelf: Shelf; source: Source; now: () => Date; changed(): void; failed(error: unknown): void }

const REST_MS = 30_000
const RESTING = 20 // times as long as looking took
const TIDY_PAGES = 200

/** Keeps one repo's shelf like its folder. */
export function keeperOf({ db, shelf, source, now, changed, failed }: Options) {
  let ended = false
  let looking: Promise<void> | null = null
  let next: Promise<void> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let watching: { watch: Watch; inode: bigint } | null = null
  let progress: RepoState['indexing'] = null
  /** Why the last look failed: kept here, as the index may be what cannot be written. */
  let trouble: string | null = null
  /** Files that are no text: as long as they stay as they are, they are not read again. */
  let unread = new Map<string, Stamp & { why: string }>()

  /** Resolves once a look that began after this call has ended, and rejects where it failed. */
  function look(): Promise<void> {
    if (ended) return Promise.resolve()
    if (!looking) return begin()
    next ??= looking
      .catch(() => {})
      .then(() => {
        next = null
        return look()
      })
    return next
  }

  /** Looks at one file that was put or taken away; at all of them where that alone would not tell everything. */
  async function lookAt(path: string): Promise<void> {
    if (!lookedAt(path)) await look()
  }

  function hear(paths: string[] | null): void {
    try {
      if (!paths?.every(lookedAt)) lookSoon()
    } catch {
      lookSoon() // its state says how that goes
    }
  }

  /** False where all have to be looked at: for links, folders, and whatever is or was passed over. */
  function lookedAt(path: string): boolean {
    if (ended) return true
    const place = source.place()
    const noted = stateIn(db, shelf.name)
    if (looking || trouble !== null || noted.failure !== null || 'refused' in place) return false
    if (unread.has(path) || noted.skipped.length < noted.skippedCount) return false
    if (noted.skipped.some((one) => one.path === path)) return false
    const file = join(place.folder, path)
    const stat = lstatSync(file, { throwIfNoEntry: false })
    const known = shelf.byPath(path)
    if (!stat && !known) return kindOf(path) !== null
    if (stat && (!stat.isFile() || realOf(file) !== file || stat.size > MOST_FILE_BYTES)) return false
    if (stat && (kindOf(path) === null || isSame(known, { bytes: stat.size, mtimeMs: stat.mtimeMs }))) return true
    const skipped = skippedFiles()
    const act = db.transaction(() => {
      if (stat) return readOne(place.folder, path, { bytes: stat.size, mtimeMs: stat.mtimeMs }, skipped)
      shelf.remove(path, now())
      return true
    })
    const isWhole = act.immediate()
    if (isWhole) changed()
    return isWhole
  }

  /** Nobody waits for it: its state says how it went. */
  function lookSoon(): void {
    look().catch(() => {})
  }

  function begin(): Promise<void> {
    clearTimeout(timer)
    const startedAt = performance.now()
    looking = lookNow()
      .then(() => {
        trouble = null
      })
      .catch((error) => {
        if (ended) return
        trouble = whyNot(error)
        failed(error)
        throw error
      })
      .finally(() => {
        looking = null
        progress = null
        if (ended || !source.lives) return
        const tookMs = performance.now() - startedAt
        timer = setTimeout(lookSoon, Math.max(REST_MS, RESTING * tookMs))
        timer.unref()
      })
    return looking
  }

  async function lookNow(): Promise<void> {
    const breath = breathing(() => ended)
    const skipped = skippedFiles()
    const place = source.place()
    if ('refused' in place) {
      if (place.forGood) await removeAll(shelf.stamps(), breath)
      return note(skipped, place.refused)
    }
    if (source.lives) watch(place.folder)
    tell({ done: 0, total: null })
    const before = new Map(shelf.stamps().map((stamp) => [stamp.path, stamp]))
    let found: Map<string, Stamp>
    try {
      found = await source.list(place.folder, breath, skipped)
    } catch (error) {
      return note(skipped, `The folder cannot be read (${(error as { code?: string }).code ?? 'error'}).`)
    }
    const gone = [...before.values()].filter(({ path }) => !found.has(path))
    const todo = [...found].filter(([path, stamp]) => !isSame(before.get(path), stamp))
    unread = new Map([...unread].filter(([path]) => found.has(path)))
    await removeAll(gone, breath)
    await readAll(place.folder, todo, breath, skipped)
    note(skipped, null)
    if (gone.length + todo.length > 0) await tidy(breath)
  }

  async function readAll(folder: string, todo: [string, Stamp][], breath: Breath, skipped: Skipped): Promise<void> {
    let done = 0
    let put = 0
    const slice = db.transaction(() => {
      do {
        const [path, stamp] = todo[done]!
        if (readOne(folder, path, stamp, skipped)) put++
        done++
      } while (done < todo.length && !breath.due())
      tell({ done, total: todo.length })
    })
    while (done < todo.length && !ended) {
      try {
        slice.immediate()
      } catch (error) {
        shelf.undone()
        throw error
      }
      await breath.take()
    }
    if (put > 0) changed()
  }

  async function tidy(breath: Breath): Promise<void> {
    while (!ended && shelf.tidy(TIDY_PAGES)) await breath.take()
    const weed = db.transaction(() => shelf.weed())
    while (!ended && weed()) await breath.take()
  }

  function readOne(folder: string, path: string, stamp: Stamp, skipped: Skipped): boolean {
    const known = unread.get(path)
    if (known && isSame(known, stamp)) {
      skipped.add(path, known.why)
      return false
    }
    const read = readAlone(folder, path)
    if (read === 'put') return true
    shelf.remove(path, now())
    if (read === null) return false
    if (read.lasts) unread.set(path, { ...stamp, why: read.why })
    skipped.add(path, read.why)
    return false
  }

  /** A document that cannot be cut or written keeps no other from being read. `lasts`: as long as the file stays the same. */
  function readAlone(folder: string, path: string): 'put' | { why: string; lasts: boolean } | null {
    try {
      const read = source.read(folder, path)
      if (read === null) return null
      if ('why' in read) return { why: read.why, lasts: false }
      const text = textIn(read.bytes)
      if (text === null) return { why: 'It is no text.', lasts: true }
      put(path, read.stamp, text)
      return 'put'
    } catch (error) {
      if (isOfDatabase(error)) throw error
      shelf.undone()
      if (error instanceof Unreadable) return { why: error.message, lasts: true }
      failed(error)
      return { why: 'It could not be read; the log of the server says more.', lasts: true }
    }
  }

  const put = db.transaction((path: string, stamp: Stamp, text: string) =>
    shelf.put(path, stamp, documentOf(path, text), now()),
  )

  async function removeAll(gone: { path: string }[], breath: Breath): Promise<void> {
    let done = 0
    const slice = db.transaction(() => {
      do shelf.remove(gone[done++]!.path, now())
      while (done < gone.length && !breath.due())
    })
    while (done < gone.length && !ended) {
      slice.immediate()
      await breath.take()
    }
    if (gone.length > 0) changed()
  }

  function tell(indexing: RepoState['indexing']): void {
    if (ended) return
    progress = indexing
    shelf.noteProgress(indexing)
  }

  function note(skipped: Skipped, failure: string | null): void {
    if (ended) return
    progress = null
    shelf.note({ indexing: null, skipped: skipped.list, skippedCount: skipped.count(), failure })
  }

  /** Where the system tells of changes, they are seen at once; where it does not, at the next look. */
  function watch(folder: string): void {
    const inode = statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n
    if (watching?.inode === inode) return
    watching?.watch.close()
    watching = { watch: watchFolder(folder, hear), inode }
  }

  return {
    shelf,
    look,
    lookAt,
    state(): RepoState {
      const noted = stateIn(db, shelf.name)
      return { ...noted, indexing: progress, failure: trouble ?? noted.failure }
    },
    /** Of all files, also those that are no text. */
    bytes: () => [...unread.values()].reduce((sum, { bytes }) => sum + bytes, shelf.bytes()),
    /** Asked before a document is shown: one that is gone is not, even if nobody has noticed yet. */
    isThere(document: DocumentRow): boolean {
      const stamp = source.stamp(document.path)
      if (source.lives && !isSame(document, stamp)) lookSoon()
      return stamp !== null
    },
    /** Resolves once nothing of ours touches the shelf any more. */
    async end(): Promise<void> {
      ended = true
      clearTimeout(timer)
      watching?.watch.close()
      await looking?.catch(() => {})
    },
  }
}

function isSame(a: Stamp | null | undefined, b: Stamp | null | undefined): boolean {
  return !!a && !!b && a.bytes === b.bytes && Math.abs(a.mtimeMs - b.mtimeMs) < 0.01
}
