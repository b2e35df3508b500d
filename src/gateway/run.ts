import type { FoundKey } from '../core/store.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { account } from './account.ts'
import { errorText } from './errors.ts'
import { modernStatus } from './modern.ts'
import { outcomeOf } from './outcome.ts'
import { replyTo } from './reply.ts'
import type { Session, UnderWay } from './sessions.ts'
import type { Gateway, Turn } from './turn.ts'

export type Running = Turn & { finish(): void }

/** From the moment a request is understood: what may cut it short. */
export function turnOf(
  { watch, streams }: Gateway,
  req: BunRequest,
  res: BunAnswer,
  key: FoundKey,
  message: Turn['message'],
  era: Turn['era'],
  session: Session | null,
): Running {
  const hold = watch.open(key)
  const abort = () => hold.abort()
  const reply = replyTo(req, res, abort)
  const underWay: UnderWay = { id: message.id, reply, abort }
  session?.underWay.add(underWay)
  const isStream = message.method === 'subscriptions/listen'
  if (isStream) streams.add(abort)
  return {
    req,
    res,
    key,
    era,
    session,
    message,
    reply,
    signal: hold,
    note: { mcp: null, tool: null, upstreamMs: null, outcome: 'ok' },
    finish() {
      if (isStream) streams.delete(abort)
      hold.close()
      session?.underWay.delete(underWay)
      session?.used()
    },
  }
}

/** Until its answer has left, and what is noted of it. */
export async function run(gateway: Gateway, turn: Running, answer: () => string | Promise<string>): Promise<void> {
  const startedAt = performance.now()
  let status = 200
  try {
    const given = answer()
    const text = given instanceof Promise ? await given : given
    status = turn.era === 'modern' ? modernStatus(text) : 200
    turn.note.outcome = outcomeOf(text, turn.message.method)
    turn.reply.end(text, status)
  } catch (error) {
    const failed = errorText(error, turn.message.id, turn.req.seen.id, turn.req.log)
    status = failed.status
    turn.note.outcome = failed.outcome
    turn.reply.end(failed.text, failed.status)
  } finally {
    turn.finish()
    account(gateway, turn, status, startedAt)
  }
}
