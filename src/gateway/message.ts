import type { IncomingMessage } from 'node:http'
import { Refusal } from '../core/refusal.ts'
import { checkType, parseJson } from '../http/body.ts'
import type { Message } from '../upstreams/connection.ts'

/** base64 files travel in arguments; what is larger belongs elsewhere. */
export const MOST_BYTES = 16 * 1024 * 1024
/** No tool's arguments come near it. */
const MOST_DEPTH = 512

/** The whole body, capped, without a body parser: that would cost more than the gateway itself. */
export function readBody(req: IncomingMessage, most = MOST_BYTES): Promise<Buffer> {
  const tooLarge = () => new Refusal('payload_too_large', `A message may have at most ${most / 1024 / 1024} MB.`)
  if (Number(req.headers['content-length'] ?? 0) > most) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let whole = false
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) {
        req.removeAllListeners('data')
        req.resume()
        reject(tooLarge())
      } else chunks.push(chunk)
    })
    req.on('end', () => {
      whole = true
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    req.on('error', reject)
    req.on('close', () => {
      if (!whole) reject(new Refusal('bad_request', 'The body ended early.')) // an Error made for nothing costs 5 µs
    })
  })
}

/** Parsed once, for everybody who must look inside. */
export function parseMessage(req: IncomingMessage, body: Buffer): Message & Record<string, unknown> {
  checkType(req)
  const value = parseJson(body, MOST_DEPTH)
  if (Array.isArray(value)) throw new Refusal('bad_request', 'Batches are not taken. Send one message in each request.')
  if (typeof value !== 'object' || value === null)
    throw new Refusal('bad_request', 'The body must be one JSON-RPC message.')
  return value as Message & Record<string, unknown>
}
