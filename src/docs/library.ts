import { Worker } from 'node:worker_threads'
import { type Library, NOTHING_READ, type Repo, type RepoState } from '../core/docs.ts'
import { Refusal } from '../core/refusal.ts'
import type { Log } from '../log.ts'
import { changedRepos } from './changed.ts'
import type { Places } from './engine.ts'
import { asError, type FromWorker, type QuestionName, type ToWorker } from './messages.ts'

type Options = Places & {
  /** The file of the library's thread. */
  worker: string
  /** Begins with the first question, also if there are folders to watch. */
  lazy: boolean
  restAfterMs?: number
  endWithinMs?: number
  log: Log
}

type Asked = { resolve(value: never): void; reject(error: Error): void }

const REST_AFTER_MS = 60_000
const END_WITHIN_MS = 5_000
const PAUSE_MS = { shortest: 1_000, longest: 60_000 }

/**
 * The library in a thread of its own, which begins anew should it ever break. It takes 20 MB; so unless there are
 * folders to watch, it begins with a question and ends when none has come for a while.
 */
export function openLibrary({
  worker: file,
  lazy,
  restAfterMs = REST_AFTER_MS,
  endWithinMs = END_WITHIN_MS,
  log,
  dataDir,
  roots,
  manual,
}: Options): Library {
  const places: Places = { dataDir, roots: [...roots], manual }
  const asked = new Map<number, Asked>()
  const listeners = new Set<(repoIds: string[]) => void>()
  let repos: Repo[] | null = null
  let thread: Worker | null = null
  let resting: Promise<void> | null = null
  let closing: Promise<void> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let lastId = 0
  let failures = 0
  let notBefore = 0
  let again: ReturnType<typeof setTimeout> | undefined

  /** One thread at a time has the index open. */
  async function running(): Promise<Worker> {
    await resting
    if (closing) throw new Refusal('shutting_down', 'The server is shutting down. Try again in a moment.')
    if (thread) return thread
    if (performance.now() < notBefore) throw brokenOff()
    const made = new Worker(file, { workerData: places })
    thread = made
    made.on('message', hear)
    made.on('error', (error: Error) => broke(made, error))
    made.on('exit', () => broke(made, new Error('The thread has ended.')))
    made.unref()
    if (repos) send(made, { kind: 'keep', repos })
    restLater()
    return made
  }

  function restLater(): void {
    clearTimeout(timer)
    if (dataDir === null) return // what is in memory would be gone
    timer = setTimeout(rest, restAfterMs)
    timer.unref()
  }

  function rest(): void {
    if (!thread || closing || asked.size > 0 || watches(repos)) return
    resting = end(thread).finally(() => {
      resting = null
    })
  }

  async function end(open: Worker): Promise<void> {
    thread = null
    const ended = new Promise<void>((resolve) => {
      open.on('message', ({ kind }: FromWorker) => kind === 'closed' && resolve())
      for (const event of ['error', 'exit']) open.once(event, () => resolve())
    })
    send(open, { kind: 'close' })
    const late = Promise.withResolvers<void>()
    const patience = setTimeout(() => {
      log.warn('The thread of the documents does not end by itself and is stopped')
      late.resolve()
    }, endWithinMs)
    await Promise.race([ended, late.promise])
    clearTimeout(patience)
    await open.terminate()
  }

  function hear(message: FromWorker): void {
    if (message.kind === 'log') return log[message.level](message.message, message.fields)
    if (message.kind === 'closed') return
    if (message.kind === 'changed') return tell(message.repoIds)
    const question = asked.get(message.id)
    asked.delete(message.id)
    failures = 0
    if (message.kind === 'answer') question?.resolve(message.value as never)
    else question?.reject(asError(message))
    restLater()
  }

  function tell(repoIds: string[]): void {
    for (const told of listeners) told(repoIds)
  }

  function broke(which: Worker, error: Error): void {
    if (thread !== which) return
    thread = null
    log.error('The thread of the documents broke and begins anew', { error })
    breakOff()
    const pauseMs = failures === 0 ? 0 : Math.min(PAUSE_MS.longest, PAUSE_MS.shortest * 2 ** (failures - 1))
    failures++
    notBefore = performance.now() + pauseMs
    clearTimeout(again)
    if (watches(repos)) again = setTimeout(() => running().catch(() => {}), pauseMs).unref()
  }

  function breakOff(): void {
    for (const { reject } of asked.values()) reject(brokenOff())
    asked.clear()
  }

  async function ask<T>(name: QuestionName, ...args: unknown[]): Promise<T> {
    const open = await running()
    return new Promise((resolve, reject) => {
      const id = ++lastId
      asked.set(id, { resolve, reject })
      send(open, { kind: 'ask', id, name, args }, args.flatMap(memoryOf))
    })
  }

  /** That nothing is known of a repo is a state too: it must not hide the repo, nor undo what was done to it. */
  async function state(repo: Repo): Promise<RepoState> {
    try {
      return await ask<RepoState>('state', repo)
    } catch (error) {
      if (closing) throw error
      return { ...NOTHING_READ, failure: 'The documents cannot be searched just now. It is tried again by itself.' }
    }
  }

  async function close(): Promise<void> {
    clearTimeout(timer)
    clearTimeout(again)
    await resting
    if (thread) await end(thread)
    breakOff()
  }

  return {
    keep(now) {
      const isGone = repos?.some(({ id }) => !now.some((one) => one.id === id)) // with the files that were sent to it
      const changed = changedRepos(repos ?? now, now)
      repos = now
      if (changed.length > 0) tell(changed)
      if (thread) send(thread, { kind: 'keep', repos: now })
      else if (!lazy && !closing && (isGone || watches(now))) running().catch(() => {}) // closed meanwhile
      if (thread) restLater()
    },
    state,
    search: (among, query, limit) => ask('search', among, query, limit),
    read: (among, which, part) => ask('read', among, which, part),
    list: (repo, page) => ask('list', repo, page),
    putFile: (repo, path, bytes) => ask('putFile', repo, path, bytes),
    putZip: (repo, bytes) => ask('putZip', repo, bytes),
    removeFile: (repo, path) => ask('removeFile', repo, path),
    refresh: (repo) => ask('refresh', repo),
    onChange(hear) {
      listeners.add(hear)
      return () => void listeners.delete(hear)
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

function brokenOff(): Refusal {
  return new Refusal('upstream_unavailable', 'The search of the documents broke off. Try again in a moment.')
}

function send(open: Worker, message: ToWorker, handedOver: ArrayBuffer[] = []): void {
  open.postMessage(message, handedOver)
}

/** A file goes to the thread as it is: no copy of it is made. */
function memoryOf(argument: unknown): ArrayBuffer[] {
  if (!(argument instanceof Uint8Array) || !(argument.buffer instanceof ArrayBuffer)) return []
  return argument.byteLength > 0 && argument.byteLength === argument.buffer.byteLength ? [argument.buffer] : []
}

/** The files of others change without a word to us. */
function watches(repos: Repo[] | null): boolean {
  return repos?.some(({ source }) => source === 'folder') ?? false
}
