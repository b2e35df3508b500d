import type { BunRequest } from '../http/bun-request.ts'
import type { JsonObject, Message } from '../upstreams/connection.ts'
import { type Era, MODERN } from '../upstreams/handshake.ts'
import { HEADER_MISMATCH, INVALID_PARAMS, ProtocolError, UNSUPPORTED_VERSION } from './errors.ts'
import { nameIn } from './forward.ts'
import { isError } from './outcome.ts'
import { SUPPORTED } from './versions.ts'

/** The body tells: each request of 2026-07-28 carries an envelope, a handshake is an older client's. */
export function eraOf(req: BunRequest, message: Message): Era {
  if (versionIn(message) !== undefined) return 'modern'
  if (message.method === 'initialize') return 'legacy'
  return req.headers['mcp-protocol-version'] === MODERN && message.method !== undefined ? 'modern' : 'legacy'
}

/** What the revision of 2026-07-28 wants checked before anything is done (SEP-2243, SEP-2575). */
export function checkModern(req: BunRequest, message: Message & { method: string }): void {
  const version = versionIn(message)
  if (typeof version !== 'string')
    throw new ProtocolError(
      400,
      INVALID_PARAMS,
      'params._meta must name the protocol version: io.modelcontextprotocol/protocolVersion.',
    )
  sameAs(req, 'mcp-protocol-version', version)
  if (version !== MODERN)
    throw new ProtocolError(400, UNSUPPORTED_VERSION, 'This protocol version is not supported here.', {
      supported: SUPPORTED,
      requested: version,
    })
  const capabilities = metaOf(message)['io.modelcontextprotocol/clientCapabilities']
  if (typeof capabilities !== 'object' || capabilities === null)
    throw new ProtocolError(
      400,
      INVALID_PARAMS,
      "params._meta must state the client's capabilities: io.modelcontextprotocol/clientCapabilities.",
    )
  sameAs(req, 'mcp-method', message.method)
  const name = nameIn(message.method, message.params)
  if (name !== undefined) sameAs(req, 'mcp-name', name)
}

function sameAs(req: BunRequest, header: string, inBody: string): void {
  const given = req.headers[header]
  if (typeof given !== 'string') throw new ProtocolError(400, HEADER_MISMATCH, `The header ${header} is missing.`)
  if (decoded(given.trim()) !== inBody)
    throw new ProtocolError(400, HEADER_MISMATCH, `The header ${header} differs from the body.`)
}

const WRAPPED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/

function decoded(value: string): string | null {
  if (!value.startsWith('=?base64?')) return value
  const match = WRAPPED.exec(value)
  return match && match[1]!.length % 4 === 0 ? Buffer.from(match[1]!, 'base64').toString('utf8') : null
}

function versionIn(message: Message): unknown {
  return metaOf(message)['io.modelcontextprotocol/protocolVersion']
}

function metaOf(message: Message): JsonObject {
  const meta = message.params?._meta
  return typeof meta === 'object' && meta !== null ? (meta as JsonObject) : {}
}

/** The protocol gives some errors an HTTP status of their own. */
export function modernStatus(text: string): number {
  if (!isError(text)) return 200
  const code = (JSON.parse(text) as Message).error?.code ?? 0
  if (code === -32601) return 404
  return code <= -32020 && code >= -32022 ? 400 : 200
}
