import type { RequestHandler } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import * as z from 'zod'
import { reportLeaked } from '../core/keys/leaks.ts'
import { Refusal } from '../core/refusal.ts'
import { attemptsWithin } from '../http/attempts.ts'
import { leakBody } from '../http/key-bodies.ts'
import type { Door } from './door.ts'
import { openEndpoint } from './operation.ts'

const WINDOW_MS = 60 * 60_000
const MOST_REPORTS = 60
/** Longer than any revocation should take: an answer that took its time would tell that something was found. */
const ANSWER_AFTER_MS = 100

const TAKEN = { status: 'received' } as const

export const reportLeak = openEndpoint(
  {
    id: 'reportLeak',
    summary: 'Report leaked keys',
    about:
      'For whoever finds keys where they should not be, a secret scanner say. Those that are keys of this server are revoked at once, with the reason `leaked`. The answer is the same whatever was found. At most 60 reports an hour from one address.',
    power: null,
    body: leakBody,
    example: { keys: ['clv_live_…'] },
    answer: { status: 202, about: 'Taken.', schema: z.object({ status: z.literal(TAKEN.status) }) },
    refusals: ['rate_limited'],
  },
  async ({ ctx }, { req, body }) => {
    const from = { address: req.seen.address, requestId: req.seen.id }
    const [leaked] = await Promise.all([reportLeaked(ctx, from, body.keys), wait(ANSWER_AFTER_MS)])
    for (const { id, workspaceId, hint } of leaked)
      req.log.warn('A leaked key was reported and is revoked', { key_id: id, hint, workspace_id: workspaceId })
    return TAKEN
  },
)

export function reportLimit({ ctx: { now } }: Door): RequestHandler {
  const reports = attemptsWithin(WINDOW_MS, now)
  const from: (req: Parameters<RequestHandler>[0]) => string = (req) => ipKeyGenerator(req.seen.address, 64)
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: MOST_REPORTS,
    keyGenerator: from,
    store: reports,
    standardHeaders: false,
    legacyHeaders: false,
    handler(req, res, next) {
      const retryAfterSeconds = reports.secondsLeft(from(req))
      res.set('RateLimit-Policy', `"reports";q=${MOST_REPORTS};w=${WINDOW_MS / 1000}`)
      res.set('RateLimit', `"reports";r=0;t=${retryAfterSeconds}`)
      next(
        new Refusal('rate_limited', 'Too many reports came from this address. Send up to 100 keys in one.', {
          retryAfterSeconds,
        }),
      )
    },
  })
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
