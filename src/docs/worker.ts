import { parentPort, workerData } from 'node:worker_threads'
import { loadAddonsFrom } from '../assets.ts'
import type { Library } from '../core/docs.ts'
import { engine, type Places } from './engine.ts'
import { asAnswer, type FromWorker, type ToWorker } from './messages.ts'

/** The library's own thread: reading a thousand files here keeps no call elsewhere waiting. */
const port = parentPort!
const places = workerData as Places
if (places.dataDir !== null) loadAddonsFrom(places.dataDir)

const say = (message: FromWorker) => port.postMessage(message)
const logAt =
  (level: 'info' | 'warn' | 'error') =>
  (message: string, fields: Record<string, unknown> = {}) =>
    say({ kind: 'log', level, message, fields: cloneable(fields) })
const log = { info: logAt('info'), warn: logAt('warn'), error: logAt('error') }

const library: Library = engine({ ...places, log, now: () => new Date() })
library.onChange((repoIds) => say({ kind: 'changed', repoIds }))

port.on('message', async (message: ToWorker) => {
  if (message.kind === 'keep') return library.keep(message.repos)
  if (message.kind === 'close') {
    await library.close().catch((error) => log.error('The library could not be closed', { error }))
    return say({ kind: 'closed' })
  }
  const { id, name, args } = message
  try {
    const act = library[name] as (...args: unknown[]) => Promise<unknown>
    say({ kind: 'answer', id, value: await act(...args) })
  } catch (error) {
    say(asAnswer(id, error))
  }
})

function cloneable(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  )
}
