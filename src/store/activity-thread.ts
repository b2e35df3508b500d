import { Worker } from 'node:worker_threads'
import type { ActivityFile } from './activity-file.ts'
import type { Answered, Asked } from './activity-messages.ts'

type Waiting = { resolve(value: never): void; reject(error: Error): void }

const PAUSE_MS = 1_000
const END_WITHIN_MS = 10_000

/**
 * The file of activity in a thread of its own, which begins with the first question, and anew should it ever break:
 * then what was not answered is refused, and lines among it may be written twice.
 */
export function activityThread(file: string, worker: string, endWithinMs = END_WITHIN_MS): ActivityFile {
  const waiting = new Map<number, Waiting>()
  let thread: Worker | null = null
  let lastId = 0
  let failures = 0
  let notBefore = 0
  let closed = false

  function running(): Worker {
    if (closed) throw isClosed()
    if (thread) return thread
    if (performance.now() < notBefore) throw new Error('The thread of activity broke. It begins anew in a moment.')
    const made = new Worker(worker, { workerData: { file } })
    thread = made
    made.on('message', hear)
    made.on('error', (error: Error) => broke(made, error))
    made.on('exit', () => broke(made, new Error('The thread of activity has ended.')))
    return made
  }

  async function ask<T>(name: keyof ActivityFile, ...args: unknown[]): Promise<T> {
    const open = running()
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const asked: Asked = { id: ++lastId, name, args }
    waiting.set(asked.id, { resolve, reject })
    open.ref() // an answer is waited for, nothing else
    open.postMessage(asked)
    return promise
  }

  function hear(answered: Answered): void {
    const question = waiting.get(answered.id)
    waiting.delete(answered.id)
    if (waiting.size === 0) thread?.unref()
    failures = 0
    if ('failed' in answered) question?.reject(new Error(answered.failed))
    else question?.resolve(answered.value as never)
  }

  function broke(which: Worker, error: Error): void {
    if (thread !== which) return
    thread = null
    notBefore = failures === 0 ? 0 : performance.now() + PAUSE_MS
    failures++
    refuse(error)
  }

  function refuse(error: Error): void {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  async function close(): Promise<void> {
    if (!thread) {
      closed = true
      return
    }
    const ended = ask('close').catch(() => {})
    closed = true
    const late = Promise.withResolvers<void>()
    const patience = setTimeout(late.resolve, endWithinMs)
    await Promise.race([ended, late.promise])
    clearTimeout(patience)
    const open = thread
    thread = null
    await open?.terminate()
    refuse(isClosed())
  }

  return {
    write: (text) => ask('write', text),
    list: (...asked) => ask('list', ...asked),
    callersOf: (...asked) => ask('callersOf', ...asked),
    sweep: (before) => ask('sweep', before),
    close,
  }
}

function isClosed(): Error {
  return new Error('The activity is closed.')
}
