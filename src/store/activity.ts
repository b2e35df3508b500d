import { existsSync } from 'node:fs'
import { activityWorker } from '../assets.ts'
import type { ActivityStore } from '../core/store.ts'
import { type ActivityFile, activityBeside, openActivity } from './activity-file.ts'
import { textOf } from './activity-lines.ts'
import { activityThread } from './activity-thread.ts'

export type Activity = ActivityStore & { close(): Promise<void> }

/** Nobody's decision rests on these, so they move no version: a busy server does not empty its own ring. */
export function activityIn(database: string, worker = activityWorker()): Activity {
  const file = activityBeside(database)
  return database === ':memory:' ? here(openActivity(file)) : onDisk(file, worker)
}

function here(open: ActivityFile): Activity {
  return { ...open, write: (lines) => open.write(textOf(lines)) }
}

/**
 * With the first line a thread takes the file over. Until then whatever is asked opens it here, and closes it again:
 * never are both at it, since in the executable each thread loads a SQLite of its own, and two in one process do not
 * see each other's locks (sqlite.org/howtocorrupt.html §2.2.1).
 */
function onDisk(file: string, worker: string): Activity {
  let thread: Promise<ActivityFile> | null = null
  let asked: Promise<unknown> = Promise.resolve()

  function begun(): Promise<ActivityFile> {
    return asked.then(() => activityThread(file, worker))
  }

  async function ask<T>(question: (open: ActivityFile) => Promise<T>): Promise<T> {
    if (thread) return question(await thread)
    const open = openActivity(existsSync(file) ? file : ':memory:') // whoever only looks makes none
    const answer = question(open).finally(() => open.close())
    asked = Promise.allSettled([asked, answer]).then(() => {})
    return answer
  }

  return {
    async write(lines) {
      thread ??= begun()
      await (await thread).write(textOf(lines))
    },
    list: (...given) => ask((open) => open.list(...given)),
    callersOf: (...given) => ask((open) => open.callersOf(...given)),
    sweep: (before) => ask((open) => open.sweep(before)),
    close: async () => (thread ? (await thread).close() : void (await asked)),
  }
}
