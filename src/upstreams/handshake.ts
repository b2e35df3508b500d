import { asText } from '../core/text.ts'
import { type Answer, type Connection, connectionOver, type Ears, type JsonObject, parsedAnswer } from './connection.ts'
import type { OpenWire } from './wire.ts'

export const MODERN = '2026-07-28'
export const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const
export const NEWEST_LEGACY = LEGACY[0]

export type Era = 'modern' | 'legacy'

/** What a server says of itself, in either era's shape. */
export type Hello = {
  era: Era
  protocolVersion: string
  capabilities: JsonObject
  serverInfo: JsonObject
  instructions?: string
  /** The whole answer, for a client of the same era to see. */
  whole: JsonObject
}

export type Introduced = { connection: Connection; hello: Hello }

/** Who we are to an upstream when no client of its own era stands behind the connection. */
export type Introduction = { protocolVersion: string; capabilities: JsonObject; clientInfo: JsonObject }

/** The handshake of 2025-11-25 and before; a session on HTTP, a process on stdio. */
export async function introduce(
  open: OpenWire,
  ears: Ears,
  as: Introduction,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Introduced> {
  const connection = await connectionOver(open, ears, signal)
  try {
    const answer = resultOf(await connection.call({ method: 'initialize', params: as, timeoutMs, signal }))
    const whole = answer as JsonObject
    const protocolVersion = asText(whole.protocolVersion) || NEWEST_LEGACY
    connection.ready(protocolVersion)
    connection.notify('notifications/initialized')
    return {
      connection,
      hello: {
        era: 'legacy',
        protocolVersion,
        capabilities: (whole.capabilities ?? {}) as JsonObject,
        serverInfo: (whole.serverInfo ?? {}) as JsonObject,
        instructions: whole.instructions as string | undefined,
        whole,
      },
    }
  } catch (error) {
    void connection.close()
    throw error
  }
}

/** The envelope that each request of 2026-07-28 carries in place of a handshake. */
export function envelope({ capabilities, clientInfo }: Pick<Introduction, 'capabilities' | 'clientInfo'>): JsonObject {
  return {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': clientInfo,
  }
}

export function helloOf(discovered: JsonObject): Hello {
  const meta = (discovered._meta ?? {}) as JsonObject
  return {
    era: 'modern',
    protocolVersion: MODERN,
    capabilities: (discovered.capabilities ?? {}) as JsonObject,
    serverInfo: (meta['io.modelcontextprotocol/serverInfo'] ?? discovered.serverInfo ?? {}) as JsonObject,
    instructions: discovered.instructions as string | undefined,
    whole: discovered,
  }
}

/** The upstream refused: its own JSON-RPC error. */
export class RpcError extends Error {
  override name = 'RpcError'
  readonly error: { code: number; message: string; data?: unknown }

  constructor(error: { code: number; message: string; data?: unknown }) {
    super(error.message)
    this.error = error
  }
}

export function resultOf(answer: Answer): unknown {
  const message = parsedAnswer(answer.text)
  if (message.error) throw new RpcError(message.error)
  return message.result
}
