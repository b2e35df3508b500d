import type { Context } from '../core/context.ts'
import type { Key } from '../core/keys/key.ts'
import type { Refusal } from '../core/refusal.ts'
import { pathOf } from '../http/bun-request.ts'
import type { Incoming } from '../http/messages.ts'
import type { Recorder } from '../http/record.ts'
import { STATUS } from '../http/refusals.ts'
import { slugOf } from './address.ts'
import { clientName } from './turn.ts'

/** A client that goes on with a key that is over asks several times a second, for months. */
const MOST_A_MINUTE = 60

export type RefusedKeys = (req: Incoming, key: Key, refusal: Refusal) => void

/**
 * What was asked with a key that is there and was refused as such, so that somebody can see who still has it. It is no
 * use of the key; and whoever has none of ours leaves no line.
 */
export function refusedKeys(ctx: Context, recorder: Recorder): RefusedKeys {
  let minute = 0
  const lines = new Map<string, number>()

  function isOneTooMany(keyId: string): boolean {
    const current = Math.floor(ctx.now().getTime() / 60_000)
    if (current !== minute) lines.clear()
    minute = current
    const count = (lines.get(keyId) ?? 0) + 1
    lines.set(keyId, count)
    return count > MOST_A_MINUTE
  }

  return (req, key, { code }) => {
    if (isOneTooMany(key.id)) return
    recorder.record(
      {
        workspaceId: key.workspaceId,
        at: ctx.now(),
        requestId: req.seen.id,
        keyId: key.id,
        mcp: slugOf(pathOf(req.url ?? '')),
        method: req.method ?? '',
        tool: null,
        environment: key.environment,
        outcome: code,
        status: STATUS[code],
        latencyMs: 0,
        upstreamMs: null,
        ip: req.seen.address,
        client: clientName({ name: req.headers['user-agent'] }),
      },
      { isUse: false },
    )
  }
}
