import type { ActivityLine } from '../core/activity.ts'
import { Refusal } from '../core/refusal.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import { cachingOf, rpcErrorOf, sendRpcError } from '../http/refusals.ts'
import type { Log } from '../log.ts'
import { CallFailed, Cancelled } from '../upstreams/connection.ts'
import { RpcError } from '../upstreams/handshake.ts'
import { UnknownSession } from './sessions.ts'

/** What the protocol itself asks to be said, with its own integer and HTTP status. */
export class ProtocolError extends Error {
  override name = 'ProtocolError'
  readonly status: number
  readonly error: { code: number; message: string; data?: unknown }

  constructor(status: number, code: number, message: string, data?: unknown) {
    super(message)
    this.status = status
    this.error = { code, message, ...(data !== undefined && { data }) }
  }
}

export const HEADER_MISMATCH = -32020
export const UNSUPPORTED_VERSION = -32022
export const METHOD_NOT_FOUND = -32601
export const INVALID_PARAMS = -32602

/** One message could not be served: a JSON-RPC error of its own, with HTTP 200 unless the protocol says otherwise. */
export function errorText(
  error: unknown,
  id: unknown,
  requestId: string,
  log: Log,
): { text: string; status: number; outcome: ActivityLine['outcome'] } {
  if (error instanceof ProtocolError)
    return { text: rpcText(id, error.error), status: error.status, outcome: 'bad_request' }
  if (error instanceof RpcError) return { text: rpcText(id, error.error), status: 200, outcome: 'upstream_error' }
  if (error instanceof Cancelled)
    return {
      text: rpcText(id, { code: -32603, message: 'The call was cancelled.' }),
      status: 200,
      outcome: 'cancelled',
    }
  const refusal = asMessageRefusal(error, log)
  return { text: JSON.stringify(rpcErrorOf(refusal, requestId, id)), status: 200, outcome: refusal.code }
}

export function asMessageRefusal(error: unknown, log: Log): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof CallFailed) return new Refusal(error.failure.code, error.failure.message)
  log.error('Unexpected error', { error })
  return new Refusal('internal_error', 'Something went wrong here. The request id finds it in the log.')
}

/** The request as a whole is refused: its HTTP status says so too. */
export function sendWholeError(res: BunAnswer, error: unknown, id: unknown, requestId: string, log: Log): void {
  if (error instanceof ProtocolError) return sendJson(res, error.status, rpcText(id, error.error))
  if (error instanceof UnknownSession) {
    const data = { code: 'not_found', request_id: requestId }
    return sendJson(
      res,
      404,
      rpcText(id, { code: -32001, message: 'There is no such session. Begin again with `initialize`.', data }),
    )
  }
  sendRpcError(res, asMessageRefusal(error, log), requestId, id)
}

function rpcText(id: unknown, error: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error })
}

function sendJson(res: BunAnswer, status: number, text: string): void {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': cachingOf(res) })
  res.end(text)
}
