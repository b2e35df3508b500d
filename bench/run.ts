import { writeFileSync } from 'node:fs'
import { measureCalls, type Row } from './calls.ts'
import { removeFolders } from './claviger.ts'
import { type Gateways, measureGateways } from './gateways.ts'
import { type Keys, measureKeys } from './keys.ts'
import { type Lists, measureLists } from './lists.ts'
import { startLoader } from './loaders.ts'
import { type Memory, measureMemory } from './memory.ts'
import { type Options, readOptions } from './options.ts'
import { endAll } from './processes.ts'
import { measureSearch, type Searching } from './search.ts'
import { measureStartUp, type StartUp } from './start-up.ts'
import { tables } from './tables.ts'
import { type Target, targetsOf } from './targets.ts'

export type Results = {
  at: string
  program: string
  rounds: number
  seconds: number
  calls?: Row[]
  gateways?: Gateways
  keys?: Keys
  lists?: Lists
  memory?: Memory
  start?: StartUp
  search?: Searching
}

export type Report = Results & { targets: Target[] }

/** Part after part; each starts the processes it needs and ends them before the next. */
async function measureAll(options: Options): Promise<Results> {
  const { parts, rounds, seconds, executable } = options
  const results: Results = { at: new Date().toISOString(), program: executable ?? 'run from sources', rounds, seconds }
  const told = (text: string) => void process.stderr.write(`${text}\n`)
  const part = async <T>(name: Options['parts'][number], measure: () => Promise<T>): Promise<T | undefined> => {
    if (!parts.includes(name)) return undefined
    try {
      return await measure()
    } finally {
      await endAll()
    }
  }
  results.start = await part('start', () => measureStartUp(options, told))
  results.calls = await part('calls', () => measureCalls(options, startLoader(), told))
  results.gateways = await part('gateways', () => measureGateways(options, startLoader(), told))
  results.lists = await part('lists', () => measureLists(options, startLoader(), told))
  results.memory = await part('memory', () => measureMemory(options, startLoader(), told))
  results.keys = await part('keys', () => measureKeys(options, told))
  results.search = await part('search', () => measureSearch(options, told))
  return results
}

async function stop(code: number): Promise<never> {
  await endAll()
  removeFolders()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(1))

try {
  const options = readOptions(process.argv.slice(2))
  if (options) {
    const results = await measureAll(options)
    process.stdout.write(tables(results))
    const report: Report = { ...results, targets: targetsOf(results) }
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
  }
  await stop(0)
} catch (error) {
  process.stderr.write(`The bench failed: ${(error as Error).message}\n`)
  await stop(1)
}
