import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DocPart, type Library, MOST_KEPT_BYTES, type Repo } from '../core/docs.ts'
import { Refusal } from '../core/refusal.ts'
import type { Log } from '../log.ts'
import { whyNot } from './failure.ts'
import { type Db, isDamage, openIndex, removeIndex } from './file.ts'
import { type Admit, putFile, putZip, removeDrafts, removeFile } from './files.ts'
import { find } from './find.ts'
import { type Keeper, keeperOf } from './keeper.ts'
import { partOf } from './part.ts'
import { type DocumentRow, dropShelf, shelfIn, shelfNames, stateIn } from './shelf.ts'
import { filesSource, folderSource, manualSource, type Source } from './source.ts'

export type Places = {
  /** Where the index and sent files are kept; null: in memory, and in a temporary folder until the end. */
  dataDir: string | null
  /** Folders that repos may lie in. */
  roots: readonly string[]
  /** The product's own manual. */
  manual: string
}

type Options = Places & {
  mostBytes?: { repo: number; workspace: number }
  log: Pick<Log, 'info' | 'warn' | 'error'>
  now: () => Date
}

/** `first` is its first look, or as much of it as is waited for. */
type Kept = { repo: Repo; signature: string; keeper: Keeper; first: Promise<void> }

const MOST_HITS = 50
const FIRST_LOOK_MS = 2_000
const LONGEST_PAGE = 1_000
const TRY_AGAIN_MS = 30_000

/** The library, in the thread that asks it. It blocks that thread for some milliseconds at a time, which is why the program gives it one of its own. */
export function engine({ dataDir, roots, manual, mostBytes = MOST_KEPT_BYTES, log, now }: Options): Library {
  const temporary = dataDir === null ? mkdtempSync(join(tmpdir(), 'claviger-docs-')) : null
  const filesDir = join(temporary ?? dataDir!, 'docs')
  const file = dataDir === null ? ':memory:' : join(dataDir, 'docs.db')
  let db: Db = openIndex(file, log)
  const kept = new Map<string, Kept>()
  /** Shelves that cannot be kept just now, each with a sentence about it. */
  const broken = new Map<string, string>()
  let again: ReturnType<typeof setTimeout> | undefined
  const listeners = new Set<(repoIds: string[]) => void>()
  let repos: Repo[] = []
  let keeping: Promise<void> = Promise.resolve()
  let closed = false

  function keep(now: Repo[]): void {
    repos = now
    keeping = keeping
      .then(arrange)
      .then(removeFiles)
      .catch((error) => {
        if (isDamage(error)) void remake(error, db)
        else log.error('The documents could not be arranged', { error })
      })
  }

  async function arrange(): Promise<void> {
    if (closed) return
    const wanted = new Map(repos.map((repo) => [shelfOf(repo), repo]))
    for (const name of [...kept.keys()]) if (!wanted.has(name)) await end(name)
    for (const name of shelfNames(db)) if (!wanted.has(name)) dropShelf(db, name)
    broken.clear()
    for (const [name, repo] of wanted)
      await begin(name, repo).catch((error) => {
        if (isDamage(error)) throw error
        broken.set(name, whyNot(error))
        log.error('A repo cannot be read; trying again', { repo: repo.id, error })
      })
    clearTimeout(again)
    if (broken.size > 0) again = setTimeout(() => keep(repos), TRY_AGAIN_MS).unref()
  }

  async function begin(name: string, repo: Repo): Promise<Kept> {
    const signature = JSON.stringify([repo.source, repo.path])
    const known = kept.get(name)
    if (known?.signature === signature) return known
    if (known) await end(name)
    const keeper = keeperOf({
      db,
      shelf: shelfIn(db, name),
      source: sourceOf(repo),
      now,
      changed: () => tell(name),
      failed: (error) => failed(error, repo),
    })
    const look = keeper.look().catch(() => {}) // its state says so
    const first = repo.source === 'manual' ? look : Promise.race([look, patience()])
    const made = { repo, signature, keeper, first }
    kept.set(name, made)
    return made
  }

  async function end(name: string): Promise<void> {
    const { keeper } = kept.get(name)!
    kept.delete(name)
    await keeper.end()
  }

  function sourceOf(repo: Repo): Source {
    if (repo.source === 'manual') return manualSource(manual)
    if (repo.source === 'folder') return folderSource(repo.path ?? '', { roots, apart: temporary ?? dataDir })
    const folder = filesOf(repo)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    removeDrafts(folder)
    return filesSource(folder)
  }

  function filesOf(repo: Repo): string {
    if (!/^\w{1,100}$/.test(repo.id)) throw new Error(`${repo.id} is no id of a repo`)
    return join(filesDir, repo.id)
  }

  /** Of repos that were removed, perhaps while nobody was here to see it. */
  function removeFiles(): void {
    if (closed || !existsSync(filesDir)) return
    const ids = new Set(repos.map(({ id }) => id))
    for (const name of readdirSync(filesDir))
      if (/^rep_\w+$/.test(name) && !ids.has(name)) rmSync(join(filesDir, name), { recursive: true, force: true })
  }

  function tell(name: string): void {
    const ids = repos.filter((repo) => shelfOf(repo) === name).map(({ id }) => id)
    for (const hear of listeners) hear(ids)
  }

  function failed(error: unknown, repo?: Repo): void {
    if (isDamage(error)) return void remake(error, db)
    log.error('The documents of a repo could not be read', { repo: repo?.id, error })
  }

  /** Everything in the index can be read again; so a damaged one is thrown away, whenever that shows. */
  function remake(error: unknown, damaged: Db): Promise<void> {
    keeping = keeping.then(async () => {
      if (closed || db !== damaged) return
      log.warn('The index of the documents was damaged and is made anew', { file, why: (error as Error).message })
      for (const name of [...kept.keys()]) await end(name)
      db.close()
      if (dataDir !== null) removeIndex(file)
      db = openIndex(file, log)
      await arrange()
    })
    keeping = keeping.catch((error) => log.error('The index could not be made anew', { file, error }))
    return keeping
  }

  /** What is under way may find that more has to be done. */
  async function settled(): Promise<void> {
    for (let under: Promise<void> | null = null; under !== keeping; ) {
      under = keeping
      await under
    }
  }

  async function safely<T>(act: () => T | Promise<T>): Promise<T> {
    await settled()
    if (closed) throw new Error('The library is closed.')
    const used = db
    try {
      return await act()
    } catch (error) {
      if (!isDamage(error)) throw error
      await remake(error, used)
      return act()
    }
  }

  /**
   * The first search after a start should find something: a shelf that is new is waited for, a little. Where nothing
   * can be read, it says so: it did not find nothing.
   */
  async function shelvesOf(asked: Repo[]): Promise<{ repo: Repo; keeper: Keeper }[]> {
    const found = asked.flatMap((repo) => {
      const one = kept.get(shelfOf(repo))
      return one ? [{ repo, keeper: one.keeper, first: one.first }] : []
    })
    const unread = asked.find((repo) => broken.has(shelfOf(repo)))
    if (found.length === 0 && unread) throw unreadable(unread)
    await Promise.all(found.map(({ first }) => first))
    return found.filter(({ repo, keeper }) => kept.get(shelfOf(repo))?.keeper === keeper) // some went meanwhile
  }

  async function looked(repo: Repo, keeper: Keeper, path?: string): Promise<void> {
    const looking = path === undefined ? keeper.look() : keeper.lookAt(path)
    await looking.catch((error) => {
      throw isDamage(error) ? error : unreadable(repo, whyNot(error))
    })
    refuseGone(repo)
  }

  function unreadable(repo: Repo, why = broken.get(shelfOf(repo)) ?? ''): Refusal {
    return new Refusal('upstream_unavailable', `The documents of ${repo.name} cannot be read just now. ${why}`.trim())
  }

  function keeperFor(repo: Repo): Keeper {
    refuseGone(repo)
    const one = kept.get(shelfOf(repo))
    if (!one) throw unreadable(repo)
    return one.keeper
  }

  function admitTo(repo: Repo, keeper: Keeper): Admit {
    return (files) => {
      refuseGone(repo)
      const replaced = files.reduce((sum, { path }) => sum + (keeper.shelf.byPath(path)?.bytes ?? 0), 0)
      const more = files.reduce((sum, { bytes }) => sum + bytes, 0) - replaced
      if (more <= 0) return
      const beside = [...kept.values()].filter((one) => one.repo.workspaceId === repo.workspaceId)
      const ofFiles = beside.filter((one) => one.repo.source === 'files')
      const all = ofFiles.reduce((sum, one) => sum + one.keeper.bytes(), more)
      if (keeper.bytes() + more > mostBytes.repo) throw full(repo.name, mostBytes.repo)
      if (all > mostBytes.workspace) throw full('The workspace', mostBytes.workspace)
    }
  }

  /** Asked again after each wait: what is put in the place of a repo that went would stay there, and nobody's. */
  function refuseGone({ id, name }: Repo): void {
    if (!repos.some((one) => one.id === id)) throw new Refusal('not_found', `There is no repo ${name} any more.`)
  }

  return {
    keep,
    state: (repo) =>
      safely(() => {
        const name = shelfOf(repo)
        const known = kept.get(name)?.keeper.state() ?? stateIn(db, name)
        return { ...known, failure: broken.get(name) ?? known.failure }
      }),

    search: (asked, query, limit) =>
      safely(async () => {
        const shelves = await shelvesOf(asked)
        const searched = shelves.map(({ repo, keeper }) => ({
          shelf: keeper.shelf,
          repo: repo.name,
          isThere: (document: DocumentRow) => keeper.isThere(document),
        }))
        return find(searched, query, Math.min(Math.max(1, Math.trunc(limit)), MOST_HITS))
      }),

    read: (asked, which, part = {}) =>
      safely(async (): Promise<DocPart | null> => {
        const within =
          'repo' in which ? asked.filter(({ id, name }) => name === which.repo || id === which.repo) : asked
        for (const { repo, keeper } of await shelvesOf(within)) {
          const document = 'id' in which ? keeper.shelf.byDoc(which.id) : keeper.shelf.byPath(which.path)
          if (!document || !keeper.isThere(document)) continue
          return partOf(document, repo.name, keeper.shelf.sectionsOf(document.id), part)
        }
        return null
      }),

    list: (repo, { limit, cursor, prefix = '' }) =>
      safely(async () => {
        const most = Math.min(Math.max(1, limit), LONGEST_PAGE)
        const [one] = await shelvesOf([repo])
        const rows = one?.keeper.shelf.page(cursor ?? '', prefix, most + 1) ?? []
        const items = rows.slice(0, most)
        return {
          items: items.filter((row) => one!.keeper.isThere(row)).map(lineOf),
          nextCursor: rows.length > most ? items.at(-1)!.path : null,
        }
      }),

    putFile: (repo, path, bytes) =>
      safely(async () => {
        const keeper = keeperFor(ofFiles(repo))
        const name = putFile(filesOf(repo), path, bytes, admitTo(repo, keeper))
        await looked(repo, keeper, name)
        const row = keeper.shelf.byPath(name)
        if (row) return lineOf(row)
        throw new Refusal('conflict', `${name} was taken away again while it was read. Send it once more.`)
      }),

    putZip: (repo, bytes) =>
      safely(async () => {
        const keeper = keeperFor(ofFiles(repo))
        const { paths, skipped } = await putZip(filesOf(repo), bytes, admitTo(repo, keeper))
        await looked(repo, keeper)
        return { added: new Set(paths).size, skipped: skipped.list, skippedCount: skipped.count() }
      }),

    removeFile: (repo, path) =>
      safely(async () => {
        const keeper = keeperFor(ofFiles(repo))
        const was = removeFile(filesOf(repo), path)
        if (was) await looked(repo, keeper, path.normalize('NFC'))
        return was
      }),

    refresh: (repo) =>
      safely(async () => {
        const keeper = keeperFor(repo)
        await looked(repo, keeper)
        return keeper.state()
      }),

    onChange(hear) {
      listeners.add(hear)
      return () => void listeners.delete(hear)
    },

    async close() {
      if (closed) return
      closed = true
      clearTimeout(again)
      await settled()
      for (const name of [...kept.keys()]) await end(name)
      db.close()
      if (temporary !== null) rmSync(temporary, { recursive: true, force: true })
    },
  }
}

/** The manual is the same for everybody, and read once. */
export function shelfOf(repo: Repo): string {
  return repo.source === 'manual' ? 'manual' : repo.id
}

function ofFiles(repo: Repo): Repo {
  if (repo.source === 'files') return repo
  throw new Refusal('conflict', `Files cannot be sent to ${repo.name}: it is no repo of files.`)
}

function full(what: string, most: number): Refusal {
  const gigabytes = `${Math.round((most / 1024 ** 3) * 10) / 10} GB`
  return new Refusal('payload_too_large', `${what} would hold more than ${gigabytes} of files. Remove some first.`)
}

function lineOf({ doc, path, title, bytes }: DocumentRow) {
  return { id: doc, path, title, bytes }
}

function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, FIRST_LOOK_MS).unref())
}
