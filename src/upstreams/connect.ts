import type { Environment } from '../core/keys/key.ts'
import type { Target } from '../core/mcps/mcp.ts'
import { CallFailed, connectionOver, type Ears, type JsonObject } from './connection.ts'
import {
  type Era,
  envelope,
  helloOf,
  type Introduced,
  type Introduction,
  introduce,
  RpcError,
  resultOf,
} from './handshake.ts'
import type { Verdicts } from './verdicts.ts'
import type { Failure, OpenWire } from './wire.ts'
import type { Wires } from './wires.ts'

/** For whom a server of our own answers. */
export type Reader = { workspaceId: string; environment: Environment }

export type Openers = {
  session(target: Target, reader: Reader): OpenWire
  stateless(target: Target): OpenWire | null
  /** HTTP+SSE of 2024-11-05, for servers that refuse a POSTed handshake. */
  old(target: Target): OpenWire | null
}

export type Wanted = {
  target: Target
  reader: Reader
  /** Under which the verdict on the server's era is kept. */
  place: string
  era: Era
  as: Introduction
  ears: Ears
  timeoutMs: number
  /** Gives up connecting, with what to throw as its reason. */
  stop: AbortSignal
}

export type Connect = (wanted: Wanted) => Promise<Introduced>

const PROBE_MS = 10_000

/** From a target to a server that has said who it is: in the caller's era if it speaks that, else in the other. */
export function connecting(openers: Openers, wires: Wires, verdicts: Verdicts, ourselves: Introduction): Connect {
  return async ({ target, reader, place, era, as, ears, timeoutMs, stop }) => {
    let kept: Attempt | null = null

    /** One way of connecting. Those given up end as well; only the end of the one that is kept is told. */
    function attempt(): Attempt {
      const one: Attempt = {
        over: null,
        ears: {
          unasked: ears.unasked,
          broke: ears.broke,
          closed(failure) {
            one.over = failure
            if (kept === one) ears.closed(failure)
          },
        },
      }
      return one
    }

    function keep(one: Attempt, introduced: Introduced): Introduced {
      if (one.over) throw new CallFailed(one.over)
      kept = one
      return introduced
    }

    async function modern(one: Attempt): Promise<Introduced | null> {
      const open = openers.stateless(target) ?? openers.session(target, reader)
      const found = await discover(wires.kept(open), one.ears, ourselves, Math.min(PROBE_MS, timeoutMs / 2), stop)
      stop.throwIfAborted()
      return found
    }

    async function older(one: Attempt, open: OpenWire): Promise<Introduced> {
      const introduced = await introduce(wires.kept(open), one.ears, as, timeoutMs, stop)
      // Silence is no verdict: only a server that answers in the older way is known to speak no other.
      if (era === 'modern') verdicts.set(place, 'legacy')
      return introduced
    }

    if (era === 'modern' && verdicts.of(place) !== 'legacy') {
      const one = attempt()
      const found = await modern(one)
      if (found) {
        verdicts.set(place, 'modern')
        return keep(one, found)
      }
    }
    try {
      const usual = attempt()
      return keep(usual, await older(usual, openers.session(target, reader)))
    } catch (error) {
      stop.throwIfAborted()
      const open = mayBeOlderStill(error) ? openers.old(target) : null
      if (open) {
        const oldest = attempt()
        const introduced = await older(oldest, open).catch(() => null)
        stop.throwIfAborted()
        if (introduced) return keep(oldest, introduced)
      }
      if (era === 'legacy' && mayBeModernOnly(error)) {
        const last = attempt()
        const found = await modern(last)
        if (found) return keep(last, found)
      }
      throw error
    }
  }
}

type Attempt = { over: Failure | null; ears: Ears }

async function discover(open: OpenWire, ears: Ears, as: Introduction, timeoutMs: number, stop: AbortSignal) {
  const connection = await connectionOver(open, ears, stop)
  try {
    const params = { _meta: envelope(as) }
    const headers = { 'Mcp-Method': 'server/discover' }
    const answer = await connection.call({ method: 'server/discover', params, headers, timeoutMs, signal: stop })
    const discovered = resultOf(answer) as JsonObject
    if (!Array.isArray(discovered.supportedVersions)) throw new RpcError({ code: -32601, message: 'no discovery' })
    return { connection, hello: helloOf(discovered) }
  } catch (error) {
    void connection.close()
    if (error instanceof CallFailed && error.failure.stage === 'start') throw error
    return null
  }
}

function mayBeOlderStill(error: unknown): boolean {
  return error instanceof CallFailed || error instanceof RpcError
}

/** A server of 2026-07-28 alone does not know `initialize`. */
function mayBeModernOnly(error: unknown): boolean {
  return error instanceof RpcError || (error instanceof CallFailed && error.failure.stage !== 'start')
}
