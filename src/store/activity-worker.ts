import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { loadAddonsFrom } from '../assets.ts'
import { type ActivityFile, openActivity } from './activity-file.ts'
import type { Answered, Asked } from './activity-messages.ts'

/** The thread of activity: neither a batch nor a checkpoint of its log holds up a call here. */
const port = parentPort!
const { file } = workerData as { file: string }
loadAddonsFrom(dirname(file))

let open: ActivityFile | null = null
let opened: number | undefined

/** One that was deleted or replaced meanwhile is let go: what it takes nobody would ever see. */
async function current(): Promise<ActivityFile> {
  if (open && inode() !== opened) {
    const gone = open
    open = null
    await gone.close()
  }
  if (!open) {
    open = openActivity(file) // a disk without room for it may have some the next time
    opened = inode()
  }
  return open
}

function inode(): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino
}

async function answer({ id, name, args }: Asked): Promise<Answered> {
  try {
    const act = (await current())[name] as (...args: unknown[]) => Promise<unknown>
    return { id, value: await act(...args) }
  } catch (error) {
    return { id, failed: (error as Error).message }
  }
}

port.on('message', async (asked: Asked) => port.postMessage(await answer(asked)))
