import { Worker } from 'node:worker_threads'
import type { Library, Repo } from '../core/docs.ts'
import { Refusal } from '../core/refusal.ts'
import type { Log } from '../log.ts'
import type { Places } from './engine.ts'
import { asError, type FromWorker, type QuestionName, type ToWorker } from './messages.ts'

type Options = Places & {
  /** The file of the library's thread. */
  worker: string
  /** Begins with the first question instead of at once. */
  lazy: boolean
  log: Log
}

type Asked = { resolve(value: never): void; reject(error: Error): void }

/** The library in a thread of its own, which begins anew should it ever break. */
export function openLibrary({ worker: file, lazy, log, dataDir, roots, manual }: Options): Library {
  const places: Places = { dataDir, roots: [...roots], manual }
  const asked = new Map<number, Asked>()
  const listeners = new Set<(repoIds: string[]) => void>()
  let repos: Repo[] | null = null
  let thread: Worker | null = null
  let closing: Promise<void> | null = null
  let whenClosed: () => void = () => {}
  let lastId = 0

  function running(): Worker {
    if (closing) throw new Refusal('shutting_down', 'The server is shutting down. Try again in a moment.')
    if (thread) return thread
    const made = new Worker(file, { workerData: places })
    thread = made
    made.on('message', hear)
    made.on('error', (error: Error) => broke(made, error))
    made.on('exit', () => broke(made, new Error('The thread has ended.')))
    made.unref()
    if (repos) send({ kind: 'keep', repos })
    return made
  }

  function send(message: ToWorker): void {
    running().postMessage(message)
  }

  function hear(message: FromWorker): void {
    if (message.kind === 'log') return log[message.level](message.message, message.fields)
    if (message.kind === 'closed') return whenClosed()
    if (message.kind === 'changed') {
      for (const told of listeners) told(message.repoIds)
      return
    }
    const question = asked.get(message.id)
    asked.delete(message.id)
    if (message.kind === 'answer') question?.resolve(message.value as never)
    else question?.reject(asError(message))
  }

  function broke(which: Worker, error: Error): void {
    if (thread !== which) return
    thread = null
    whenClosed()
    if (!closing) log.error('The thread of the documents broke and begins anew', { error })
    for (const { reject } of asked.values())
      reject(new Refusal('upstream_unavailable', 'The search of the documents broke off. Try again in a moment.'))
    asked.clear()
  }

  function ask<T>(name: QuestionName, ...args: unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = ++lastId
      running()
      asked.set(id, { resolve, reject })
      send({ kind: 'ask', id, name, args })
    })
  }

  async function close(): Promise<void> {
    const open = thread
    if (!open) return
    const closed = new Promise<void>((resolve) => {
      whenClosed = resolve
    })
    open.postMessage({ kind: 'close' } satisfies ToWorker)
    await closed
    thread = null
    await open.terminate()
  }

  return {
    keep(now) {
      repos = now
      if (thread || (!lazy && !closing)) send({ kind: 'keep', repos: now })
    },
    state: (repo) => ask('state', repo),
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
