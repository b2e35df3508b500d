import type { FoundKey } from '../core/store.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import type { StopSignal } from '../upstreams/stop.ts'
import { account } from './account.ts'
import { errorText } from './errors.ts'
import { modernStatus } from './modern.ts'
import { outcomeOf } from './outcome.ts'
import { type Reply, replyTo } from './reply.ts'
import type { Session, UnderWay } from './sessions.ts'
import type { Gateway, Turn } from './turn.ts'
import type { Hold } from './watch.ts'

/** From the moment a request is understood: what may cut it short. */
export class Running implements Turn, UnderWay {
  readonly #gateway: Gateway
  readonly #hold: Hold
  readonly req: BunRequest
  readonly res: BunAnswer
  readonly key: FoundKey
  readonly message: Turn['message']
  readonly era: Turn['era']
  readonly session: Session | null
  readonly reply: Reply
  readonly note: Turn['note'] = { mcp: null, tool: null, upstreamMs: null, outcome: 'ok' }

  constructor(
    gateway: Gateway,
    req: BunRequest,
    res: BunAnswer,
    key: FoundKey,
    message: Turn['message'],
    era: Turn['era'],
    session: Session | null,
  ) {
    this.#gateway = gateway
    this.#hold = gateway.watch.open(key)
    this.req = req
    this.res = res
    this.key = key
    this.message = message
    this.era = era
    this.session = session
    this.reply = replyTo(req, res, this.#hold)
    session?.underWay.add(this)
    if (this.#isStream) gateway.streams.add(this)
  }

  get signal(): StopSignal {
    return this.#hold
  }

  get #isStream(): boolean {
    return this.message.method === 'subscriptions/listen'
  }

  abort(): void {
    this.#hold.abort()
  }

  finish(): void {
    if (this.#isStream) this.#gateway.streams.delete(this)
    this.#hold.close()
    this.session?.underWay.delete(this)
    this.session?.used()
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
