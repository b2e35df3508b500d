import type { Context } from '../core/context.ts'
import type { Environment } from '../core/keys/key.ts'
import type { Mcp } from '../core/mcps/mcp.ts'
import type { KnownOffer, Offer } from '../core/mcps/state.ts'
import type { Log } from '../log.ts'
import { ANYBODY, type Audience } from './audience.ts'
import { type Change, changesIn, without } from './changes.ts'
import type { Lease, Party } from './lease.ts'
import { offerOver } from './listing.ts'
import type { Pool } from './pool.ts'

export type Catalogue = {
  /** What is known of an MCP's offer, at once where anything is known; asked anew behind the answer. */
  offer(mcp: Mcp, environment: Environment, audience?: Audience): Offer | Promise<Offer>
  /** What was heard last, without asking. */
  known(mcp: Mcp, environment: Environment): Promise<KnownOffer | null>
  refresh(mcp: Mcp, environment: Environment): Promise<KnownOffer>
  /** Its list has changed, it says over a connection: it is asked anew, now if it does not say so all the time. */
  stale(mcp: Mcp, environment: Environment, kind: keyof Offer, over: Lease): void
  /** `over`: the connection on which it is so; null where it is so for all. */
  onChange(heard: HearChanges): void
  workspaces(): Set<string>
  /** Forgets what was heard under a definition that no longer holds. */
  keepOnly(isCurrent: (mcpId: string, revision: number) => boolean): void
}

type HearChanges = (mcp: Mcp, environment: Environment, changes: Change[], over: Lease | null) => void

const FRESH_MS = 60_000
/** How long a list may wait for a server that was never heard; the others' tools are worth more than its own. */
const DEADLINE_MS = 5_000
const AFTER_FAILURE_MS = 15_000
const NOTHING: Offer = { tools: [], prompts: [], resources: [], templates: [] }

/** Some servers say that their list has changed whenever it is read. */
const PAUSE_MS = { shortest: 50, longest: 60_000 }

function partyFor(audience: Audience): Party {
  return { era: audience.era, keyId: 'catalogue', session: null, audience }
}

type Known = {
  name: string
  mcp: Mcp
  environment: Environment
  audience: Audience
  /** A connection of its own that says something else than the one that speaks for all; null: that one. */
  over: Lease | null
  offer: Offer | null
  heardAt: number
  failedAt: number
  firstAskedAt: number | null
  asking: Promise<KnownOffer> | null
  /** The lists it has said were changed, until it is asked. */
  stale: Set<keyof Offer>
  staleTimer: ReturnType<typeof setTimeout> | null
  staleAt: number
  /** How long it is not asked again, whatever it says. */
  pauseMs: number
}

export function catalogueOf(ctx: Context, pool: Pool, log: Log): Catalogue {
  const known = new Map<string, Known>()
  const heard: HearChanges[] = []
  const time = () => ctx.now().getTime()

  async function entryFor(mcp: Mcp, environment: Environment): Promise<Known> {
    const name = nameOf(mcp, environment)
    const entry = known.get(name)
    if (entry) return entry
    const kept = await ctx.store.mcps.offer(mcp.id, environment)
    return known.get(name) ?? begin(name, mcp, environment, null, kept)
  }

  /** What a server offers clients that it can ask something back is kept in memory alone: there are few such servers. */
  function entryOf(mcp: Mcp, environment: Environment, audience: Audience): Known | Promise<Known> {
    if (audience.can.length === 0) return known.get(nameOf(mcp, environment)) ?? entryFor(mcp, environment)
    const name = [nameOf(mcp, environment), audience.era, ...audience.can].join('/')
    return known.get(name) ?? begin(name, mcp, environment, null, null, audience)
  }

  function begin(
    name: string,
    mcp: Mcp,
    environment: Environment,
    over: Lease | null,
    kept: KnownOffer | null,
    audience = ANYBODY,
  ): Known {
    const entry: Known = {
      name,
      mcp,
      environment,
      audience,
      over,
      offer: kept?.offer ?? null,
      heardAt: kept?.heardAt.getTime() ?? 0,
      failedAt: 0,
      firstAskedAt: null,
      asking: null,
      stale: new Set(),
      staleTimer: null,
      staleAt: 0,
      pauseMs: 0,
    }
    known.set(name, entry)
    return entry
  }

  function ask(entry: Known): Promise<KnownOffer> {
    entry.asking ??= askNow(entry)
      .catch((error: unknown) => {
        entry.failedAt = time()
        throw error
      })
      .finally(() => {
        entry.asking = null
      })
    return entry.asking
  }

  async function askNow(entry: Known): Promise<KnownOffer> {
    const { mcp, environment, audience, over } = entry
    const stale = [...entry.stale]
    entry.stale.clear()
    const lease = over ?? (await pool.reach(mcp, environment, partyFor(audience)))
    const isForAll = audience.can.length === 0
    if (!isForAll && lease.hello.era !== audience.era) return sameAsForAll(entry) // nobody of the other era can be asked
    const offer = await offerOver(lease, mcp, audience)
    const changes = changesIn(entry.offer ?? without(offer, stale), offer)
    entry.offer = offer
    entry.heardAt = time()
    entry.failedAt = 0
    const kept = { offer, heardAt: ctx.now() }
    if (!over && isForAll) await ctx.store.mcps.keepOffer(mcp, environment, kept)
    if (changes.length > 0 && isForAll) for (const hear of heard) hear(mcp, environment, changes, over)
    return kept
  }

  async function sameAsForAll(entry: Known): Promise<KnownOffer> {
    const kept = await ask(await entryFor(entry.mcp, entry.environment))
    entry.offer = kept.offer
    entry.heardAt = time()
    entry.failedAt = 0
    return kept
  }

  /** Where nothing is known of what is offered to an audience, it is shown what is offered to all. */
  function otherwise({ mcp, environment, audience }: Known): Offer | Promise<Offer> {
    if (audience.can.length === 0) return NOTHING
    return entryFor(mcp, environment).then(({ offer }) => offer ?? NOTHING)
  }

  function offerIn(entry: Known): Offer | Promise<Offer> {
    if (entry.offer && time() - entry.heardAt < FRESH_MS) return entry.offer
    const failedJustNow = time() - entry.failedAt < AFTER_FAILURE_MS
    if (failedJustNow) return entry.offer ?? otherwise(entry)
    const asking = entry.asking ?? askQuietly(entry)
    if (entry.offer) return entry.offer
    // a server that was never heard is waited for once: one that stays silent must not slow every list
    entry.firstAskedAt ??= time()
    const patienceMs = DEADLINE_MS - (time() - entry.firstAskedAt)
    if (patienceMs <= 0) return otherwise(entry)
    return within(
      patienceMs,
      asking.then(({ offer }) => offer),
    ).catch(() => otherwise(entry))
  }

  /** Told of once, however many lists come while it is asked. */
  function askQuietly(entry: Known): Promise<KnownOffer> {
    const asking = ask(entry)
    asking.catch((error) =>
      log.debug('An offer could not be heard', { mcp: entry.mcp.slug, why: (error as Error).message }),
    )
    return asking
  }

  /** Whoever asks next waits for an answer that knows of the change. */
  function forgetAudiences(mcp: Mcp, environment: Environment): void {
    for (const [name, entry] of known)
      if (entry.audience.can.length > 0 && entry.mcp.id === mcp.id && entry.environment === environment)
        known.delete(name)
  }

  function askSoon(entry: Known, kind: keyof Offer): void {
    entry.stale.add(kind)
    if (performance.now() - entry.staleAt > 10 * entry.pauseMs) entry.pauseMs = 0
    entry.staleTimer ??= setTimeout(async () => {
      await entry.asking?.catch(() => {}) // it may have been read before it changed
      entry.staleTimer = null
      entry.staleAt = performance.now()
      entry.pauseMs = Math.min(PAUSE_MS.longest, Math.max(PAUSE_MS.shortest, entry.pauseMs * 2))
      if (known.get(entry.name) === entry) ask(entry).catch(() => {})
    }, entry.pauseMs)
  }

  function speaksForAll({ line }: Lease, { mcp, environment }: Known): boolean {
    const usual = pool.reach(mcp, environment, partyFor(ANYBODY))
    if (!(usual instanceof Promise)) return usual.line === line
    usual.catch(() => {}) // it is asked all the same
    return false
  }

  /** Processes of one server may offer different things: what one says is compared with what that one said before. */
  function askOver(lease: Lease, base: Known, kind: keyof Offer): void {
    const { mcp, environment } = base
    const entry = known.get(lease.line) ?? begin(lease.line, mcp, environment, lease, null)
    entry.over = lease
    entry.offer ??= base.offer
    askSoon(entry, kind)
  }

  return {
    offer(mcp, environment, audience = ANYBODY) {
      const entry = entryOf(mcp, environment, audience)
      return entry instanceof Promise ? entry.then(offerIn) : offerIn(entry)
    },
    async known(mcp, environment) {
      const { offer, heardAt } = await entryFor(mcp, environment)
      return offer && { offer, heardAt: new Date(heardAt) }
    },
    async refresh(mcp, environment) {
      return ask(await entryFor(mcp, environment))
    },
    stale(mcp, environment, kind, over) {
      forgetAudiences(mcp, environment)
      entryFor(mcp, environment)
        .then((base) => {
          if (!over.dedicated && !speaksForAll(over, base)) askOver(over, base, kind)
          askSoon(base, kind)
        })
        .catch((error) => log.error('A list that has changed could not be read', { error, mcp: mcp.slug }))
    },
    onChange: (hear) => void heard.push(hear),
    workspaces: () => new Set([...known.values()].map(({ mcp }) => mcp.workspaceId)),
    keepOnly(isCurrent) {
      for (const [name, { mcp, over }] of known)
        if (!isCurrent(mcp.id, mcp.revision) || over?.isOpen() === false) known.delete(name)
    },
  }
}

function nameOf({ id, revision }: Mcp, environment: Environment): string {
  return `${id}/${revision}/${environment}`
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too slow')), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
