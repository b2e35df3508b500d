import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { sendProblem } from '../http/refusals.ts'
import { asMessageRefusal, ProtocolError, sendWholeError } from './errors.ts'
import { parseMessage, readBody } from './message.ts'
import { UnknownSession } from './sessions.ts'
import { isSimpleCall } from './simple-call.ts'

/** Who is refused may not make us read much. */
const SHORT = 16_384

/** Refused before the body was read. Scripts read problems, MCP clients JSON-RPC: a short body shows who asks. */
export async function refuseUnread(
  req: BunRequest,
  res: BunAnswer,
  slug: string | null,
  error: unknown,
): Promise<void> {
  const simple = slug === null && req.method === 'POST' && (await carriesSimpleCall(req))
  refuse(req, res, simple, error)
}

/** In the voice of what was asked: a problem for the simple call, JSON-RPC for all else. */
export function refuse(req: BunRequest, res: BunAnswer, simple: boolean, error: unknown, id: unknown = null): void {
  const ofProtocol = error instanceof ProtocolError || error instanceof UnknownSession
  if (simple && !ofProtocol) sendProblem(res, asMessageRefusal(error, req.log), req.seen.id)
  else sendWholeError(res, error, id, req.seen.id, req.log)
}

async function carriesSimpleCall(req: BunRequest): Promise<boolean> {
  const length = Number(req.headers['content-length'])
  if (!(length > 0 && length <= SHORT)) return false
  try {
    return isSimpleCall(parseMessage(req, await readBody(req)))
  } catch {
    return false
  }
}
