import type { FoundKey } from '../core/store.ts'
import { asText } from '../core/text.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import type { JsonObject, Message } from '../upstreams/connection.ts'
import type { Introduction } from '../upstreams/handshake.ts'
import { introduceAggregate } from './aggregate.ts'
import { Running, run } from './run.ts'
import { introduceSingle } from './single.ts'
import type { Gateway, Turn } from './turn.ts'
import { agreedVersion } from './versions.ts'

/** `initialize`: an older client's session begins, and ends with its key. */
export async function begin(
  gateway: Gateway,
  req: BunRequest,
  res: BunAnswer,
  key: FoundKey,
  slug: string | null,
  message: Turn['message'],
): Promise<void> {
  const { sessions, watch } = gateway
  const session = sessions.begin(key, slug, introductionIn(message))
  const turn = new Running(gateway, req, res, key, message, 'legacy', session)
  turn.note.mcp = slug
  res.setHeader('Mcp-Session-Id', session.id)
  const hold = watch.open(key)
  hold.addEventListener('abort', () => sessions.end(session))
  session.onEnd(() => hold.close())
  turn.signal.addEventListener('abort', () => sessions.end(session), { once: true }) // nobody has heard of it
  await run(gateway, turn, async () => {
    try {
      const result =
        slug === null
          ? await introduceAggregate(gateway, key, session)
          : await introduceSingle(gateway, turn, session, slug)
      return JSON.stringify({ jsonrpc: '2.0', id: message.id, result })
    } catch (error) {
      sessions.end(session)
      if (!res.begun) res.removeHeader('Mcp-Session-Id')
      throw error
    }
  })
}

function introductionIn(message: Message): Introduction {
  const { protocolVersion, capabilities, clientInfo } = (message.params ?? {}) as JsonObject
  return {
    protocolVersion: agreedVersion(asText(protocolVersion)),
    capabilities: isObject(capabilities) ? capabilities : {},
    clientInfo: isObject(clientInfo) ? clientInfo : { name: 'unknown', version: '0' },
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
