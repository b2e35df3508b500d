import type { Environment } from '../core/keys/key.ts'
import type { Mcp, Target } from '../core/mcps/mcp.ts'
import type { Log } from '../log.ts'
import { capabilitiesOf } from './audience.ts'
import { connecting, type Openers } from './connect.ts'
import { Cancelled, type Message } from './connection.ts'
import { refuseTooMany } from './crowd.ts'
import { type Era, type Introduction, NEWEST_LEGACY, RpcError } from './handshake.ts'
import { type Lease, LISTS_FOR, type Party, type Scope, type SessionParty, scopeOf } from './lease.ts'
import { changed, tooSlow } from './reasons.ts'
import { type Subscriber, type Subscriptions, subscriptionsOf } from './subscriptions.ts'
import { troublesOf } from './troubles.ts'
import { verdictsOf } from './verdicts.ts'
import type { Failure } from './wire.ts'
import { wiresOf } from './wires.ts'

export type Pool = {
  /** At once, without a Promise, where it is open. */
  reach(mcp: Mcp, environment: Environment, party: Party): Lease | Promise<Lease>
  /** What a shared upstream says unasked, such as that its list changed; and whether anybody is there to hear it. */
  listen(hear: Hear, isHeard: IsHeard): void
  subscriptions: Subscriptions
  /** Unsubscribes from all that nobody else wants to hear of. */
  endSubscriber(who: Subscriber): void
  endSession(sessionId: string): void
  /** Those whose MCPs are reached at this moment. */
  workspaces(): Set<string>
  /** Ends what was reached under a definition that no longer holds. */
  keepOnly(isCurrent: (mcpId: string, revision: number) => boolean): void
  lastFailure(mcp: Mcp, environment: Environment): { failure: Failure; at: Date } | null
  reached(): { mcpId: string; environment: Environment; scope: string; inFlight: number }[]
  /** Waits for no server: what is still being connected is given up. */
  close(): Promise<void>
}

type Hear = (mcp: Mcp, environment: Environment, message: Message, lease: Lease) => void
type IsHeard = (mcp: Mcp, environment: Environment) => boolean

type Options = { openers: Openers; unsealed: (target: Target) => Target; now: () => Date; log: Log; version: string }

type Entry = {
  name: string
  place: string
  mcp: Mcp
  environment: Environment
  party: Party
  scope: string
  lease: Promise<Lease>
  open: Lease | null
  usedAt: number
  bornAt: number
  /** Gives up connecting. */
  stop: AbortController
}

const IDLE_MS = 10 * 60_000
/** A process grows with the years: when this old, and idle, it makes place for a new one. */
const LIFE_MS = 24 * 3_600_000
const SWEEP_MS = 30_000
const UNSUBSCRIBE_MS = 10_000

export function upstreamPool({ openers, unsealed, now, log, version }: Options): Pool {
  const entries = new Map<string, Entry>()
  /** Lines that ended under somebody who listens: they are connected anew. */
  const lost = new Map<string, Entry>()
  const listeners: { hear: Hear; isHeard: IsHeard }[] = []
  const subscriptions = subscriptionsOf()
  const wires = wiresOf()
  const troubles = troublesOf(now, log)
  const verdicts = verdictsOf(now)
  const ourselves: Introduction = {
    protocolVersion: NEWEST_LEGACY,
    capabilities: {},
    clientInfo: { name: 'claviger', version },
  }
  const connect = connecting(openers, wires, verdicts, ourselves)
  const sweeper = setInterval(sweep, SWEEP_MS)
  sweeper.unref()

  function reach(mcp: Mcp, environment: Environment, party: Party): Lease | Promise<Lease> {
    const place = placeOf(mcp, environment)
    const scope = scopeOf(mcp, party)
    const name = nameOf(place, eraFor(place, party), scope.name)
    const known = entries.get(name)
    if (!known) return begun({ name, place, scope }, mcp, environment, party)
    known.usedAt = now().getTime()
    return known.open ?? known.lease
  }

  /** To a server known to be an older one, clients of both eras go by the same line. */
  function eraFor(place: string, { era }: Party): Era {
    return era === 'modern' && verdicts.of(place) === 'legacy' ? 'legacy' : era
  }

  async function begun({ name, place, scope }: Spot, mcp: Mcp, environment: Environment, party: Party): Promise<Lease> {
    if (party.session?.isOver()) throw new Cancelled()
    troubles.refuseWhileBackingOff(place)
    refuseTooMany(mcp, party.keyId, scope.name, entries.values())
    const entry: Entry = {
      name,
      place,
      mcp,
      environment,
      party,
      scope: scope.name,
      lease: undefined as never,
      open: null,
      usedAt: now().getTime(),
      bornAt: now().getTime(),
      stop: new AbortController(),
    }
    entries.set(name, entry)
    entry.lease = opened(entry, scope.session)
    return entry.lease
  }

  async function opened(entry: Entry, session: SessionParty | null): Promise<Lease> {
    const { place, mcp, environment, party, stop } = entry
    const timeoutMs = mcp.timeoutSeconds * 1000
    const late = setTimeout(() => stop.abort(tooSlow(mcp)), timeoutMs)
    try {
      const sealed = mcp.targets[environment]
      if (!sealed) throw new Error(`${mcp.slug} has no ${environment} target`)
      const introduced = await connect({
        target: unsealed(sealed),
        reader: { workspaceId: mcp.workspaceId, environment },
        place,
        era: party.era,
        as: session?.introduction ?? introductionFor(entry),
        ears: {
          unasked(message) {
            if (!session) hearShared(entry, message)
            else if (entry.open) session.unasked(mcp, entry.open, message)
          },
          closed(failure) {
            if (forget(entry)) comeBack(entry)
            log.info('An upstream connection ended', { mcp: mcp.slug, environment, why: failure.message })
          },
          broke(error) {
            log.error('Unexpected error', { error, mcp: mcp.slug, environment })
          },
        },
        timeoutMs,
        stop: stop.signal,
      })
      if (stop.signal.aborted) void introduced.connection.close()
      stop.signal.throwIfAborted()
      troubles.over(place)
      rename(entry, nameOf(place, eraFor(place, party), entry.scope))
      entry.open = {
        ...introduced,
        dedicated: session !== null && introduced.hello.era === 'legacy',
        keyId: entry.scope === 'shared' ? null : party.keyId,
        line: entry.name,
        isOpen: () => entries.get(entry.name) === entry,
      }
      lost.delete(entry.name)
      subscribeAgain(entry.open, timeoutMs)
      return entry.open
    } catch (error) {
      const given = !forget(entry)
      if (given) throw stop.signal.reason // we have ended it: no fault of the server's
      if (session && error instanceof RpcError) throw error // nor is it what this client said of itself
      throw troubles.note(place, mcp.slug, error)
    } finally {
      clearTimeout(late)
    }
  }

  function introductionFor({ scope, party }: Entry): Introduction {
    if (!party.audience || !scope.startsWith(LISTS_FOR)) return ourselves
    return { ...ourselves, capabilities: capabilitiesOf(party.audience) }
  }

  /** On a shared connection nobody can be asked, and what concerns one caller must not reach another. */
  function hearShared({ mcp, environment, scope, open }: Entry, message: Message): void {
    if (!open) return
    if (message.id !== undefined) {
      open.connection.respond(message.id, { error: { code: -32601, message: 'This client cannot be asked.' } })
      return
    }
    if (!scope.startsWith(LISTS_FOR)) for (const { hear } of listeners) hear(mcp, environment, message, open)
  }

  function subscribeAgain({ line, hello, connection }: Lease, timeoutMs: number): void {
    if (hello.era === 'modern') return
    for (const uri of subscriptions.of(line))
      connection.call({ method: 'resources/subscribe', params: { uri }, timeoutMs }).catch(() => {})
  }

  function isListenedTo({ name, mcp, environment, party, scope }: Entry): boolean {
    if (scope.startsWith(LISTS_FOR) || (scope.startsWith('session:') && party.session?.isOver())) return false
    return subscriptions.of(name).length > 0 || listeners.some(({ isHeard }) => isHeard(mcp, environment))
  }

  /** At once if it has lived for a while; else with the next sweep, as it may end again and again. */
  function comeBack(entry: Entry): void {
    if (!isListenedTo(entry)) return
    lost.set(entry.name, entry)
    if (entry.bornAt + SWEEP_MS <= now().getTime()) reachAgain(entry)
  }

  function reachAgain(entry: Entry): void {
    if (!isListenedTo(entry)) lost.delete(entry.name)
    else Promise.resolve(reach(entry.mcp, entry.environment, entry.party)).catch(() => {}) // the next sweep tries again
  }

  function rename(entry: Entry, name: string): void {
    if (name === entry.name || entries.has(name)) return
    forget(entry)
    entry.name = name
    entries.set(name, entry)
  }

  /** False if it was not there any more. */
  function forget(entry: Entry): boolean {
    return entries.get(entry.name) === entry && entries.delete(entry.name)
  }

  /** Whoever still waits for it is told the reason. */
  function end(entry: Entry, reason: Error): void {
    forget(entry)
    entry.stop.abort(reason)
    entry.lease.then(({ connection }) => connection.close()).catch(() => {})
  }

  function sweep(): void {
    const time = now().getTime()
    for (const entry of lost.values()) reachAgain(entry)
    for (const entry of entries.values()) {
      if (entry.open?.connection.inFlight() !== 0) continue
      const old = entry.mcp.transport === 'stdio' && entry.bornAt < time - LIFE_MS
      const idle = entry.usedAt < time - IDLE_MS && !entry.scope.startsWith('session:') && !isListenedTo(entry)
      if (old || idle) end(entry, new Cancelled())
      if (old) comeBack(entry)
    }
  }

  return {
    reach,
    listen: (hear, isHeard) => void listeners.push({ hear, isHeard }),
    subscriptions,
    endSubscriber(who) {
      for (const { line, uri } of subscriptions.dropAll(who)) {
        const lease = entries.get(line)?.open
        if (lease?.hello.era !== 'legacy') continue
        const params = { uri }
        lease.connection.call({ method: 'resources/unsubscribe', params, timeoutMs: UNSUBSCRIBE_MS }).catch(() => {})
      }
    },
    endSession(sessionId) {
      for (const entry of [...entries.values(), ...lost.values()]) {
        if (entry.scope !== `session:${sessionId}`) continue
        lost.delete(entry.name)
        end(entry, new Cancelled())
      }
    },
    workspaces: () => new Set([...entries.values(), ...lost.values()].map(({ mcp }) => mcp.workspaceId)),
    keepOnly(isCurrent) {
      for (const entry of [...entries.values(), ...lost.values()]) {
        if (isCurrent(entry.mcp.id, entry.mcp.revision)) continue
        lost.delete(entry.name)
        subscriptions.forget(entry.name)
        end(entry, changed())
      }
    },
    lastFailure: (mcp, environment) => troubles.last(placeOf(mcp, environment)),
    reached: () =>
      [...entries.values()].map(({ mcp, environment, scope, open }) => ({
        mcpId: mcp.id,
        environment,
        scope,
        inFlight: open?.connection.inFlight() ?? 0,
      })),
    async close() {
      clearInterval(sweeper)
      lost.clear()
      for (const entry of entries.values()) end(entry, new Cancelled())
      await wires.closeAll()
    },
  }
}

/** Where a party reaches a server. All whose spot has the same name go by one connection. */
type Spot = { place: string; scope: Scope; name: string }

function placeOf({ id, revision }: Mcp, environment: Environment): string {
  return `${id}/${revision}/${environment}`
}

function nameOf(place: string, era: Era, scope: string): string {
  return `${place}/${era}/${scope}`
}
