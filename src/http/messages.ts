import type { IncomingMessage } from 'node:http'
import type { Log } from '../log.ts'
import type { Seen } from './seen.ts'

/** As much of a request as is asked of one at every door: Bun's has it, and so has the one that Express is given. */
export type Incoming = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & {
  seen: Seen
  /** Names the request on every line. */
  readonly log: Log
}

/** As much of an answer as is given at every door. */
export type Outgoing = {
  setHeader(name: string, value: string): unknown
  getHeader(name: string): unknown
  writeHead(status: number, headers: Record<string, string>): unknown
  end(text?: string): unknown
}
