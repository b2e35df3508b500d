import { Refusal } from '../core/refusal.ts'
import { checkType, parseJson } from '../http/body.ts'
import type { BunRequest } from '../http/bun-request.ts'
import type { Message } from '../upstreams/connection.ts'

/** base64 files travel in arguments; what is larger belongs elsewhere. */
export const MOST_BYTES = 16 * 1024 * 1024
/** No tool's arguments come near it. */
const MOST_DEPTH = 512

/** The whole body, capped, without a body parser: that would cost more than the gateway itself. */
export function readBody({ request, headers }: BunRequest, most = MOST_BYTES): Promise<Uint8Array> {
  const declared = headers['content-length']
  if (declared === undefined) return readPieces(request, most).catch(endedEarly)
  if (Number(declared) > most) return Promise.reject(tooLarge(most))
  return request.bytes().catch(endedEarly) // which are as many as was said
}

async function readPieces({ body }: Request, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body ?? []) {
    size += piece.length
    if (size > most) throw tooLarge(most)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function endedEarly(error: unknown): never {
  throw error instanceof Refusal ? error : new Refusal('bad_request', 'The body ended early.')
}

function tooLarge(most: number): Refusal {
  return new Refusal('payload_too_large', `A message may have at most ${most / 1024 / 1024} MB.`)
}

/** Parsed once, for everybody who must look inside. */
export function parseMessage(req: Pick<BunRequest, 'headers'>, body: Uint8Array): Message & Record<string, unknown> {
  checkType(req)
  const value = parseJson(body, MOST_DEPTH)
  if (Array.isArray(value)) throw new Refusal('bad_request', 'Batches are not taken. Send one message in each request.')
  if (typeof value !== 'object' || value === null)
    throw new Refusal('bad_request', 'The body must be one JSON-RPC message.')
  return value as Message & Record<string, unknown>
}
