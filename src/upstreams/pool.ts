import type { Environment } from '../core/keys/key.ts'
import type { Mcp, Target } from '../core/mcps/mcp.ts'
import type { Log } from '../log.ts'
import { CallFailed, type Connection, connectionOver, type Ears, type JsonObject, type Message } from './connection.ts'
import {
  type Era,
  envelope,
  type Hello,
  helloOf,
  type Introduced,
  type Introduction,
  introduce,
  NEWEST_LEGACY,
  RpcError,
  resultOf,
} from './handshake.ts'
import type { Failure, OpenWire } from './wire.ts'

/** On whose behalf an upstream is reached. */
export type Party = {
  era: Era
  keyId: string
  /** Of an older client: it may be asked back (sampling, elicitation, roots), so it has a session of its own. */
  session: { id: string; introduction: Introduction; unasked(mcp: Mcp, lease: Lease, message: Message): void } | null
}

export type Lease = {
  connection: Connection
  hello: Hello
  /** Nobody else's calls run over it: what the server asks can be meant for this party only. */
  dedicated: boolean
}

export type Openers = {
  session(target: Target): OpenWire
  stateless(target: Target): OpenWire | null
  /** HTTP+SSE of 2024-11-05, for servers that refuse a POSTed handshake. */
  old(target: Target): OpenWire | null
}

export type Pool = {
  reach(mcp: Mcp, environment: Environment, party: Party): Promise<Lease>
  /** What a shared upstream says unasked, such as that its list changed. */
  listen(hear: (mcp: Mcp, environment: Environment, message: Message) => void): void
  endSession(sessionId: string): void
  /** Those whose MCPs are reached at this moment. */
  workspaces(): Set<string>
  /** Ends what was reached under a definition that no longer holds. */
  keepOnly(isCurrent: (mcpId: string, revision: number) => boolean): void
  lastFailure(mcp: Mcp, environment: Environment): { failure: Failure; at: Date } | null
  reached(): { mcpId: string; environment: Environment; scope: string; inFlight: number }[]
  close(): Promise<void>
}

type Options = { openers: Openers; unsealed: (target: Target) => Target; now: () => Date; log: Log; version: string }

type Entry = {
  mcp: Mcp
  environment: Environment
  scope: string
  lease: Promise<Lease>
  open: Lease | null
  usedAt: number
}
type Trouble = { failures: number; retryAt: number; failure: Failure; at: Date }

const IDLE_MS = 10 * 60_000
const VERDICT_MS = 24 * 3_600_000
const PROBE_MS = 10_000
const HANDSHAKE_MS = 60_000 // a first `npx` downloads its package
const LONGEST_BACKOFF_MS = 30_000
const SWEEP_MS = 30_000
const MOST_PROCESSES = 100

export function upstreamPool({ openers, unsealed, now, log, version }: Options): Pool {
  const entries = new Map<string, Entry>()
  const troubles = new Map<string, Trouble>()
  const speaksModern = new Map<string, { yes: boolean; until: number }>()
  const listeners: ((mcp: Mcp, environment: Environment, message: Message) => void)[] = []
  const ourselves: Introduction = {
    protocolVersion: NEWEST_LEGACY,
    capabilities: {},
    clientInfo: { name: 'claviger', version },
  }
  const sweeper = setInterval(sweep, SWEEP_MS)
  sweeper.unref()

  async function reach(mcp: Mcp, environment: Environment, party: Party): Promise<Lease> {
    const { scope, as, hear } = scopeOf(mcp, party)
    const place = `${mcp.id}/${mcp.revision}/${environment}`
    const name = `${place}/${party.era}/${scope}`
    const known = entries.get(name)
    if (known) {
      known.usedAt = now().getTime()
      return known.open ?? known.lease
    }
    refuseWhileBackingOff(place)
    refuseTooMany(mcp)
    const entry: Entry = { mcp, environment, scope, open: null, usedAt: now().getTime(), lease: undefined as never }
    entries.set(name, entry)
    const forget = () => {
      if (entries.get(name) === entry) entries.delete(name)
    }
    entry.lease = connect(entry, party.era, as, hear, forget).then(
      (lease) => {
        troubles.delete(place)
        entry.open = lease
        return lease
      },
      (error: unknown) => {
        forget()
        if (hear !== null && error instanceof RpcError) throw error // what this client said of itself was refused: no fault of the server's
        throw noteTrouble(place, mcp, error)
      },
    )
    return entry.lease
  }

  /** Older clients that can be asked back, and servers kept apart by session, get a connection of their own. */
  function scopeOf(mcp: Mcp, { keyId, session }: Party) {
    const dedicated =
      session !== null && (mcp.isolation === 'per-session' || canBeAsked(session.introduction.capabilities))
    if (dedicated) return { scope: `session:${session.id}`, as: session.introduction, hear: session.unasked }
    return { scope: mcp.isolation === 'shared' ? 'shared' : `key:${keyId}`, as: ourselves, hear: null }
  }

  async function connect(
    entry: Entry,
    era: Era,
    as: Introduction,
    hear: NonNullable<Party['session']>['unasked'] | null,
    ended: () => void,
  ): Promise<Lease> {
    const { mcp, environment } = entry
    const sealed = mcp.targets[environment]
    if (!sealed) throw new Error(`${mcp.slug} has no ${environment} target`)
    const target = unsealed(sealed)
    const dedicated = hear !== null
    /** One way of connecting. Those given up end as well; only the end of the one that is kept ends the entry. */
    const attempt = () => {
      const one = {
        over: null as Failure | null,
        ears: {
          unasked(message: Message) {
            if (hear && entry.open) hear(mcp, entry.open, message)
            else if (hear === null) hearShared(entry, message)
          },
          closed(failure: Failure) {
            one.over = failure
            if (kept !== one) return
            ended()
            log.info('An upstream connection ended', { mcp: mcp.slug, environment, why: failure.message })
          },
        },
      }
      return one
    }
    let kept: ReturnType<typeof attempt> | null = null
    const keep = (one: ReturnType<typeof attempt>, introduced: Introduced, dedicated: boolean): Lease => {
      if (one.over) throw new CallFailed(one.over)
      kept = one
      return { ...introduced, dedicated }
    }
    const place = `${mcp.id}/${mcp.revision}/${environment}`
    const verdict = speaksModern.get(place)
    if (era === 'modern' && (!verdict || verdict.yes || verdict.until < now().getTime())) {
      const first = attempt()
      const modern = await tryModern(target, first.ears)
      if (modern) {
        speaksModern.set(place, { yes: true, until: now().getTime() + VERDICT_MS })
        return keep(first, modern, false)
      }
    }
    // Silence is no verdict: only a server that answers in the older way is known to speak no other.
    const speaksOlder = () => void speaksModern.set(place, { yes: false, until: now().getTime() + VERDICT_MS })
    try {
      const usual = attempt()
      const introduced = await introduce(openers.session(target), usual.ears, as, HANDSHAKE_MS)
      if (era === 'modern') speaksOlder()
      return keep(usual, introduced, dedicated)
    } catch (error) {
      const older = attempt()
      const old = await tryOld(target, older.ears, as, error)
      if (old && era === 'modern') speaksOlder()
      if (old) return keep(older, old, dedicated)
      const last = attempt()
      const modern = era === 'legacy' && mayBeModernOnly(error) ? await tryModern(target, last.ears) : null
      if (modern) return keep(last, modern, false)
      throw error
    }
  }

  async function tryModern(target: Target, ears: Ears): Promise<Introduced | null> {
    const connection = await connectionOver(openers.stateless(target) ?? openers.session(target), ears)
    try {
      const params = { _meta: envelope(ourselves) }
      const headers = { 'Mcp-Method': 'server/discover' }
      const discovered = resultOf(
        await connection.call({ method: 'server/discover', params, headers, timeoutMs: PROBE_MS }),
      ) as JsonObject
      if (!Array.isArray(discovered.supportedVersions)) throw new RpcError({ code: -32601, message: 'no discovery' })
      return { connection, hello: helloOf(discovered) }
    } catch (error) {
      void connection.close()
      if (error instanceof CallFailed && error.failure.stage === 'start') throw error
      return null
    }
  }

  async function tryOld(target: Target, ears: Ears, as: Introduction, error: unknown) {
    const open = error instanceof CallFailed || error instanceof RpcError ? openers.old(target) : null
    if (!open) return null
    return introduce(open, ears, as, HANDSHAKE_MS).catch(() => null)
  }

  /** On a shared connection nobody can be asked, and what concerns one caller must not reach another. */
  function hearShared({ mcp, environment, open }: Entry, message: Message): void {
    if (message.id !== undefined) {
      open?.connection.respond(message.id, { error: { code: -32601, message: 'This client cannot be asked.' } })
      return
    }
    for (const hear of listeners) hear(mcp, environment, message)
  }

  function refuseWhileBackingOff(place: string): void {
    const trouble = troubles.get(place)
    if (trouble && trouble.retryAt > now().getTime()) throw new CallFailed({ ...trouble.failure, unsent: true })
  }

  /** A process for each of many clients would bring the host down before it served them. */
  function refuseTooMany(mcp: Mcp): void {
    if (mcp.transport !== 'stdio') return
    const running = [...entries.values()].filter((entry) => entry.mcp.id === mcp.id).length
    if (running >= MOST_PROCESSES)
      throw new CallFailed({
        code: 'upstream_unavailable',
        stage: 'start',
        message: `${mcp.slug} runs for ${running} clients already, which is the most. Try again when one has left.`,
        unsent: true,
      })
  }

  function noteTrouble(place: string, mcp: Mcp, error: unknown): Error {
    const failure: Failure =
      error instanceof CallFailed
        ? error.failure
        : {
            code: 'upstream_unavailable',
            stage: 'handshake',
            message: 'The MCP server refused the handshake.',
            unsent: true,
          }
    const failures = (troubles.get(place)?.failures ?? 0) + 1
    const wait = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** (failures - 1)) * (0.75 + Math.random() / 2)
    troubles.set(place, { failures, retryAt: now().getTime() + wait, failure, at: now() })
    log.warn('An upstream could not be reached', {
      mcp: mcp.slug,
      stage: failure.stage,
      why: failure.message,
      failures,
    })
    if (!(error instanceof CallFailed) && !(error instanceof RpcError)) log.error('Unexpected error', { error })
    return error instanceof CallFailed ? error : new CallFailed(failure)
  }

  function end(name: string, entry: Entry): void {
    entries.delete(name)
    entry.lease.then(({ connection }) => connection.close()).catch(() => {})
  }

  function sweep(): void {
    const before = now().getTime() - IDLE_MS
    for (const [name, entry] of entries)
      if (
        entry.open &&
        entry.usedAt < before &&
        entry.open.connection.inFlight() === 0 &&
        !entry.scope.startsWith('session:')
      )
        end(name, entry)
  }

  return {
    reach,
    listen: (hear) => void listeners.push(hear),
    endSession(sessionId) {
      for (const [name, entry] of entries) if (entry.scope === `session:${sessionId}`) end(name, entry)
    },
    workspaces: () => new Set([...entries.values()].map(({ mcp }) => mcp.workspaceId)),
    keepOnly(isCurrent) {
      for (const [name, entry] of entries) if (!isCurrent(entry.mcp.id, entry.mcp.revision)) end(name, entry)
    },
    lastFailure(mcp, environment) {
      return troubles.get(`${mcp.id}/${mcp.revision}/${environment}`) ?? null
    },
    reached: () =>
      [...entries.values()].map(({ mcp, environment, scope, open }) => ({
        mcpId: mcp.id,
        environment,
        scope,
        inFlight: open?.connection.inFlight() ?? 0,
      })),
    async close() {
      clearInterval(sweeper)
      const leases = [...entries.values()].map(({ lease }) =>
        lease.then(({ connection }) => connection.close()).catch(() => {}),
      )
      entries.clear()
      await Promise.all(leases)
    },
  }
}

function canBeAsked(capabilities: JsonObject): boolean {
  return ['sampling', 'elicitation', 'roots'].some((name) => capabilities[name] !== undefined)
}

/** A server of 2026-07-28 alone does not know `initialize`. */
function mayBeModernOnly(error: unknown): boolean {
  return error instanceof RpcError || (error instanceof CallFailed && error.failure.stage !== 'start')
}
