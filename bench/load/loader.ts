import type { Client } from './client.ts'
import { httpClient } from './http-client.ts'
import { hubClient } from './hub-client.ts'
import type { Measured, Plan, Told } from './plan.ts'
import { cpuSecondsOf, rssBytesOf } from './process.ts'
import { stdioClients } from './stdio-client.ts'

/** A process of its own: it asks as fast as it is answered, one call under way for each client, and checks every answer. */
process.on('message', (plan: Plan) => {
  run(plan).then(
    (measured) => tell({ measured }),
    (error: Error) => tell({ failed: `${plan.name}: ${error.message}` }),
  )
})

function tell(told: Told): void {
  process.send!(told)
}

async function run(plan: Plan): Promise<Measured> {
  const trouble = Promise.withResolvers<never>()
  trouble.promise.catch(() => {}) // looked at below; what breaks after that is nobody's
  const broken = (why: string) => trouble.reject(new Error(why))
  const opened = await Promise.race([open(plan, broken), trouble.promise])
  try {
    const measured = await Promise.race([measure(plan, opened.clients, opened.pid, broken), trouble.promise])
    await Promise.race([Promise.all(opened.clients.map((client) => client.close())), trouble.promise])
    return measured
  } finally {
    await opened.end()
  }
}

type Opened = { clients: Client[]; pid: number; end(): Promise<void> }

async function open(plan: Plan, broken: (why: string) => void): Promise<Opened> {
  if (plan.via.kind === 'stdio') return stdioClients({ ...plan, via: plan.via }, broken)
  const clients = await Promise.all(Array.from({ length: plan.clients }, (_, index) => client(plan, index, broken)))
  return { clients, pid: plan.pid!, async end() {} }
}

function client(plan: Plan, index: number, broken: (why: string) => void): Promise<Client> {
  const { via } = plan
  if (via.kind === 'hub') return hubClient({ ...plan, via }, broken)
  if (via.kind === 'http') return httpClient({ ...plan, via }, index, broken)
  throw new Error('Clients of one stdio child are opened together.')
}

let runs = 0

async function measure(
  { warmUpMs, until }: Plan,
  clients: Client[],
  pid: number,
  broken: (why: string) => void,
): Promise<Measured> {
  const run = ++runs
  const latencies: number[] = []
  const least = 'calls' in until ? until.calls : clients.length // a figure of nothing is none
  let measuring = false
  let stopping = false
  const enough = Promise.withResolvers<void>()

  const finished = clients.map(
    (client, index) =>
      new Promise<void>((done) => {
        let id = 0
        const ask = () => {
          if (stopping) return done()
          const startedAt = performance.now()
          const token = `${run}.${index}.${++id}`
          client.ask(id, token, (fault) => {
            if (fault !== null) return broken(fault)
            if (measuring) {
              latencies.push(performance.now() - startedAt)
              if (latencies.length >= least) enough.resolve()
            }
            ask()
          })
        }
        ask()
      }),
  )

  await after(warmUpMs)
  const rssBefore = rssBytesOf(pid)
  const cpuBefore = cpuSecondsOf(pid)
  const startedAt = performance.now()
  measuring = true
  await Promise.all([enough.promise, after('ms' in until ? until.ms : 0)])
  measuring = false
  const seconds = (performance.now() - startedAt) / 1000
  const cpuSeconds = cpuSecondsOf(pid) - cpuBefore
  const rssAfter = rssBytesOf(pid)
  stopping = true
  await Promise.all(finished)

  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { calls: sorted.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99), cpuSeconds, rssBefore, rssAfter }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
