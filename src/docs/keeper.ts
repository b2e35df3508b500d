import { statSync } from 'node:fs'
import type { RepoState } from '../core/docs.ts'
import { type Breath, breathing } from './breath.ts'
import type { Db } from './file.ts'
import { textIn } from './kinds.ts'
import { documentOf } from './sections.ts'
import { type DocumentRow, type Shelf, type Stamp, stateIn } from './shelf.ts'
import { type Skipped, skippedFiles } from './skipped.ts'
import type { Source } from './source.ts'
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
  /** Files that are no text: as long as they stay as they are, they are not read again. */
  let unread = new Map<string, Stamp & { why: string }>()

  /** Resolves once a look that began after this call has ended. */
  function look(): Promise<void> {
    if (ended) return Promise.resolve()
    if (!looking) return begin()
    next ??= looking.then(() => {
      next = null
      return look()
    })
    return next
  }

  function begin(): Promise<void> {
    clearTimeout(timer)
    const startedAt = performance.now()
    looking = lookNow()
      .catch((error) => {
        if (!ended) failed(error)
      })
      .finally(() => {
        looking = null
        progress = null
        if (ended || !source.lives) return
        const tookMs = performance.now() - startedAt
        timer = setTimeout(() => void look(), Math.max(REST_MS, RESTING * tookMs))
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
    if (gone.length + todo.length > 0) while (!ended && shelf.tidy(TIDY_PAGES)) await breath.take()
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

  function readOne(folder: string, path: string, stamp: Stamp, skipped: Skipped): boolean {
    const known = unread.get(path)
    if (known && isSame(known, stamp)) {
      skipped.add(path, known.why)
      return false
    }
    const read = source.read(folder, path)
    const text = read && 'bytes' in read ? textIn(read.bytes) : null
    if (read && 'bytes' in read && text !== null) {
      shelf.put(path, read.stamp, documentOf(path, text), now())
      return true
    }
    shelf.remove(path, now())
    if (read === null) return false
    const why = 'why' in read ? read.why : 'It is no text.'
    if (!('why' in read)) unread.set(path, { ...stamp, why })
    skipped.add(path, why)
    return false
  }

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
    watching = { watch: watchFolder(folder, () => void look()), inode }
  }

  return {
    shelf,
    look,
    state: (): RepoState => ({ ...stateIn(db, shelf.name), indexing: progress }),
    /** Asked before a document is shown: one that is gone is not, even if nobody has noticed yet. */
    isThere(document: DocumentRow): boolean {
      const stamp = source.stamp(document.path)
      if (source.lives && !isSame(document, stamp)) void look()
      return stamp !== null
    },
    /** Resolves once nothing of ours touches the shelf any more. */
    async end(): Promise<void> {
      ended = true
      clearTimeout(timer)
      watching?.watch.close()
      await looking
    },
  }
}

function isSame(a: Stamp | null | undefined, b: Stamp | null | undefined): boolean {
  return !!a && !!b && a.bytes === b.bytes && Math.abs(a.mtimeMs - b.mtimeMs) < 0.01
}
