import type { Context } from '../core/context.ts'
import type { Environment } from '../core/keys/key.ts'
import type { Mcp } from '../core/mcps/mcp.ts'
import type { KnownOffer, NamedThing, Offer } from '../core/mcps/state.ts'
import type { Log } from '../log.ts'
import type { JsonObject } from './connection.ts'
import { envelope, RpcError, resultOf } from './handshake.ts'
import type { Lease } from './lease.ts'
import type { Pool } from './pool.ts'

export type Catalogue = {
  /** What is known of an MCP's offer, at once where anything is known; asked anew behind the answer. */
  offer(mcp: Mcp, environment: Environment): Promise<Offer>
  /** What was heard last, without asking. */
  known(mcp: Mcp, environment: Environment): Promise<KnownOffer | null>
  refresh(mcp: Mcp, environment: Environment): Promise<KnownOffer>
  /** Its list has changed: the next refresh begins now. */
  stale(mcp: Mcp, environment: Environment): void
  onChange(heard: (mcp: Mcp, environment: Environment, kinds: (keyof Offer)[]) => void): void
}

const FRESH_MS = 60_000
/** How long a list may wait for a server that was never heard; the others' tools are worth more than its own. */
const DEADLINE_MS = 5_000
const AFTER_FAILURE_MS = 15_000
const MOST_PAGES = 64
const NOTHING: Offer = { tools: [], prompts: [], resources: [], templates: [] }

type Known = {
  offer: Offer | null
  heardAt: number
  failedAt: number
  firstAskedAt: number | null
  asking: Promise<KnownOffer> | null
}

export function catalogueOf(ctx: Context, pool: Pool, log: Log): Catalogue {
  const known = new Map<string, Known>()
  const heard: ((mcp: Mcp, environment: Environment, kinds: (keyof Offer)[]) => void)[] = []
  const time = () => ctx.now().getTime()

  async function entryFor(mcp: Mcp, environment: Environment): Promise<Known> {
    const name = `${mcp.id}/${mcp.revision}/${environment}`
    let entry = known.get(name)
    if (!entry) {
      const kept = await ctx.store.mcps.offer(mcp.id, environment)
      entry = known.get(name) ?? {
        offer: kept?.offer ?? null,
        heardAt: kept?.heardAt.getTime() ?? 0,
        failedAt: 0,
        firstAskedAt: null,
        asking: null,
      }
      known.set(name, entry)
    }
    return entry
  }

  function ask(entry: Known, mcp: Mcp, environment: Environment): Promise<KnownOffer> {
    entry.asking ??= heardNow(mcp, environment)
      .then(async (offer) => {
        const kinds = entry.offer ? changedKinds(entry.offer, offer) : []
        entry.offer = offer
        entry.heardAt = time()
        entry.failedAt = 0
        const kept = { offer, heardAt: ctx.now() }
        await ctx.store.mcps.keepOffer(mcp, environment, kept)
        if (kinds.length > 0) for (const hear of heard) hear(mcp, environment, kinds)
        return kept
      })
      .catch((error: unknown) => {
        entry.failedAt = time()
        throw error
      })
      .finally(() => {
        entry.asking = null
      })
    return entry.asking
  }

  async function heardNow(mcp: Mcp, environment: Environment): Promise<Offer> {
    const lease = await pool.reach(mcp, environment, { era: 'modern', keyId: 'catalogue', session: null })
    const { capabilities } = lease.hello
    const list = (capability: string, method: string, member: string) =>
      capabilities[capability] ? listAll(lease, mcp, method, member).catch(asNothing) : Promise.resolve([])
    const [tools, prompts, resources, templates] = await Promise.all([
      capabilities.tools ? listAll(lease, mcp, 'tools/list', 'tools') : [],
      list('prompts', 'prompts/list', 'prompts'),
      list('resources', 'resources/list', 'resources'),
      list('resources', 'resources/templates/list', 'resourceTemplates'),
    ])
    return { tools, prompts, resources, templates }
  }

  return {
    async offer(mcp, environment) {
      const entry = await entryFor(mcp, environment)
      if (entry.offer && time() - entry.heardAt < FRESH_MS) return entry.offer
      const failedJustNow = time() - entry.failedAt < AFTER_FAILURE_MS
      if (failedJustNow) return entry.offer ?? NOTHING
      const asking = ask(entry, mcp, environment)
      asking.catch((error) =>
        log.debug('An offer could not be heard', { mcp: mcp.slug, why: (error as Error).message }),
      )
      if (entry.offer) return entry.offer
      // a server that was never heard is waited for once: one that stays silent must not slow every list
      entry.firstAskedAt ??= time()
      const patienceMs = DEADLINE_MS - (time() - entry.firstAskedAt)
      if (patienceMs <= 0) return NOTHING
      return within(
        patienceMs,
        asking.then(({ offer }) => offer),
      ).catch(() => NOTHING)
    },
    async known(mcp, environment) {
      const { offer, heardAt } = await entryFor(mcp, environment)
      return offer && { offer, heardAt: new Date(heardAt) }
    },
    async refresh(mcp, environment) {
      return ask(await entryFor(mcp, environment), mcp, environment)
    },
    stale(mcp, environment) {
      void entryFor(mcp, environment)
        .then((entry) => ask(entry, mcp, environment))
        .catch(() => {})
    },
    onChange: (hear) => void heard.push(hear),
  }
}

/** A server that refuses one of its lists still has the others. */
function asNothing(error: unknown): NamedThing[] {
  if (error instanceof RpcError) return []
  throw error
}

const NAMED_BY: Record<string, string> = { resources: 'uri', resourceTemplates: 'uriTemplate' }

function isNamed(thing: unknown, member: string): thing is NamedThing {
  return (
    typeof thing === 'object' && thing !== null && typeof (thing as NamedThing)[NAMED_BY[member] ?? 'name'] === 'string'
  )
}

async function listAll(lease: Lease, mcp: Mcp, method: string, member: string): Promise<NamedThing[]> {
  const found: NamedThing[] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const meta =
      lease.hello.era === 'modern'
        ? { _meta: envelope({ capabilities: {}, clientInfo: { name: 'claviger', version: '0' } }) }
        : {}
    const params: JsonObject = { ...(cursor !== undefined && { cursor }), ...meta }
    const answer = await lease.connection.call({
      method,
      params,
      headers: { 'Mcp-Method': method },
      timeoutMs: mcp.timeoutSeconds * 1000,
    })
    const result = resultOf(answer) as JsonObject
    if (Array.isArray(result[member])) found.push(...result[member].filter((one) => isNamed(one, member)))
    cursor = result.nextCursor as string | undefined
    if (!cursor) break
  }
  return found
}

function changedKinds(before: Offer, after: Offer): (keyof Offer)[] {
  return (Object.keys(NOTHING) as (keyof Offer)[]).filter(
    (kind) => JSON.stringify(before[kind]) !== JSON.stringify(after[kind]),
  )
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too slow')), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
