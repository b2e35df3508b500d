import type { Code } from '../core/refusal.ts'
import type { StopSignal } from './stop.ts'

/** One way of exchanging JSON-RPC texts with an MCP server, whatever carries them. */
export type Wire = {
  /**
   * Sends one message as it is. `id` names the request an answer is awaited for: its answer, and whatever the server
   * says on the same HTTP exchange, arrives with that id. Never throws: what fails is told through `failed`.
   */
  send(text: string, options?: SendOptions): void
  /** After the handshake: the revision to name in headers, and (HTTP) the time to open the stream of the server's own messages. */
  ready?(protocolVersion: string): void
  /** The last lines that the server printed beside its protocol. For diagnostics, never for an answer. */
  stderr?(): string[]
  close(): Promise<void>
}

export type SendOptions = {
  id?: number
  headers?: Record<string, string>
  /** Ends the exchange early: the caller is gone. HTTP closes the request; stdio has nothing to close. */
  signal?: StopSignal
}

export type WireEvents = {
  /** `exchange`: the request on whose HTTP answer the text came; null on stdio and for what the server says unasked. */
  message(text: string, exchange: number | null): void
  /** This one request will get no answer; of no effect when it had one. */
  failed(id: number, failure: Failure): void
  /** The wire is gone, once: a child ended, a session was lost. Every request in flight has failed with it. */
  closed(failure: Failure): void
}

/** `stop` gives up opening; what is open is closed. */
export type OpenWire = (events: WireEvents, stop?: AbortSignal) => Promise<Wire>

/** Why an upstream did not answer, in words that may be shown to the workspace. */
export type Failure = {
  code: Extract<Code, 'upstream_unavailable' | 'upstream_timeout'>
  stage: 'start' | 'connect' | 'handshake' | 'call' | 'session'
  message: string
  /** True when the request cannot have been acted on: it may be sent again. */
  unsent: boolean
}
