import type { Environment } from '../core/keys/key.ts'
import type { Mcp, Target } from '../core/mcps/mcp.ts'
import type { Log } from '../log.ts'
import { connecting, type Openers } from './connect.ts'
import { CallFailed, Cancelled, type Message } from './connection.ts'
import { type Introduction, NEWEST_LEGACY, RpcError } from './handshake.ts'
import { type Lease, type Party, type SessionParty, scopeOf } from './lease.ts'
import { troublesOf } from './troubles.ts'
import { verdictsOf } from './verdicts.ts'
import type { Failure } from './wire.ts'
import { wiresOf } from './wires.ts'

export type Pool = {
  /** At once, without a Promise, where it is open. */
  reach(mcp: Mcp, environment: Environment, party: Party): Lease | Promise<Lease>
  /** What a shared upstream says unasked, such as that its list changed. */
  listen(hear: Hear): void
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

type Hear = (mcp: Mcp, environment: Environment, message: Message) => void

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
  /** Gives up connecting. */
  stop: AbortController
}

const IDLE_MS = 10 * 60_000
const SWEEP_MS = 30_000
const MOST_PROCESSES = { of: 100, ofKey: 16 }

export function upstreamPool({ openers, unsealed, now, log, version }: Options): Pool {
  const entries = new Map<string, Entry>()
  const listeners: Hear[] = []
  const wires = wiresOf()
  const troubles = troublesOf(now, log)
  const ourselves: Introduction = {
    protocolVersion: NEWEST_LEGACY,
    capabilities: {},
    clientInfo: { name: 'claviger', version },
  }
  const connect = connecting(openers, wires, verdictsOf(now), ourselves)
  const sweeper = setInterval(sweep, SWEEP_MS)
  sweeper.unref()

  function reach(mcp: Mcp, environment: Environment, party: Party): Lease | Promise<Lease> {
    const scope = scopeOf(mcp, party)
    const place = `${mcp.id}/${mcp.revision}/${environment}`
    const name = `${place}/${party.era}/${scope.name}`
    const known = entries.get(name)
    if (known) {
      known.usedAt = now().getTime()
      return known.open ?? known.lease
    }
    return begun(name, place, mcp, environment, party, scope)
  }

  async function begun(
    name: string,
    place: string,
    mcp: Mcp,
    environment: Environment,
    party: Party,
    scope: ReturnType<typeof scopeOf>,
  ): Promise<Lease> {
    if (party.session?.isOver()) throw new Cancelled()
    troubles.refuseWhileBackingOff(place)
    refuseTooMany(mcp, party.keyId)
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
        as: session?.introduction ?? ourselves,
        ears: {
          unasked(message) {
            if (!session) hearShared(entry, message)
            else if (entry.open) session.unasked(mcp, entry.open, message)
          },
          closed(failure) {
            forget(entry)
            log.info('An upstream connection ended', { mcp: mcp.slug, environment, why: failure.message })
          },
        },
        timeoutMs,
        stop: stop.signal,
      })
      if (stop.signal.aborted) void introduced.connection.close()
      stop.signal.throwIfAborted()
      troubles.over(place)
      entry.open = {
        ...introduced,
        dedicated: session !== null && introduced.hello.era === 'legacy',
        isOpen: () => entries.get(entry.name) === entry,
      }
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

  /** On a shared connection nobody can be asked, and what concerns one caller must not reach another. */
  function hearShared({ mcp, environment, open }: Entry, message: Message): void {
    if (message.id !== undefined) {
      open?.connection.respond(message.id, { error: { code: -32601, message: 'This client cannot be asked.' } })
      return
    }
    for (const hear of listeners) hear(mcp, environment, message)
  }

  /** A process for each of many clients would bring the host down before it served them. */
  function refuseTooMany(mcp: Mcp, keyId: string): void {
    if (mcp.transport !== 'stdio') return
    const running = [...entries.values()].filter((entry) => entry.mcp.id === mcp.id)
    const own = running.filter(({ scope, party }) => scope.startsWith('session:') && party.keyId === keyId)
    if (own.length >= MOST_PROCESSES.ofKey)
      throw notStarted(
        `${mcp.slug} runs for ${own.length} sessions of this key already, which is the most. End one, or wait until it has been idle for half an hour.`,
      )
    if (running.length >= MOST_PROCESSES.of)
      throw notStarted(
        `${mcp.slug} runs for ${running.length} clients already, which is the most. Try again when one has left.`,
      )
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
    const before = now().getTime() - IDLE_MS
    for (const entry of entries.values()) {
      const idle = entry.open?.connection.inFlight() === 0 && entry.usedAt < before
      if (idle && !entry.scope.startsWith('session:')) end(entry, new Cancelled())
    }
  }

  return {
    reach,
    listen: (hear) => void listeners.push(hear),
    endSession(sessionId) {
      for (const entry of entries.values()) if (entry.scope === `session:${sessionId}`) end(entry, new Cancelled())
    },
    workspaces: () => new Set([...entries.values()].map(({ mcp }) => mcp.workspaceId)),
    keepOnly(isCurrent) {
      for (const entry of entries.values()) if (!isCurrent(entry.mcp.id, entry.mcp.revision)) end(entry, changed())
    },
    lastFailure: (mcp, environment) => troubles.last(`${mcp.id}/${mcp.revision}/${environment}`),
    reached: () =>
      [...entries.values()].map(({ mcp, environment, scope, open }) => ({
        mcpId: mcp.id,
        environment,
        scope,
        inFlight: open?.connection.inFlight() ?? 0,
      })),
    async close() {
      clearInterval(sweeper)
      for (const entry of entries.values()) end(entry, new Cancelled())
      await wires.closeAll()
    },
  }
}

function tooSlow({ timeoutSeconds }: Mcp): CallFailed {
  return new CallFailed({
    code: 'upstream_timeout',
    stage: 'handshake',
    message: `The MCP server did not complete the handshake within ${timeoutSeconds} s.`,
    unsent: true,
  })
}

function notStarted(message: string): CallFailed {
  return new CallFailed({ code: 'upstream_unavailable', stage: 'start', message, unsent: true })
}

function changed(): CallFailed {
  return notStarted('This MCP was changed or removed meanwhile. Try again.')
}
