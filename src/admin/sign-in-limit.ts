import type { Request, RequestHandler } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { Refusal } from '../core/refusal.ts'
import { signedInBy } from '../core/workspaces/sign-in.ts'
import { type Attempts, attemptsWithin } from '../http/attempts.ts'
import { sessionToken } from './cookies.ts'
import type { Door } from './door.ts'
import { text } from './form.ts'

const WINDOW_MS = 15 * 60_000
const MOST_PER_ADDRESS = 30
const MOST_PER_ACCOUNT_AND_ADDRESS = 10
/** So many failures from anywhere mean that many addresses guess together; each then gets fewer tries. */
const MOST_PER_ACCOUNT = 100
const MOST_WHILE_UNDER_ATTACK = 3

/**
 * Counts failures alone. No account is ever closed to an address that has not failed itself, so that strangers cannot
 * lock its owner out.
 */
export function signInLimit({ ctx: { now } }: Door): RequestHandler[] {
  const byAddress = attemptsWithin(WINDOW_MS, now)
  const byAccount = attemptsWithin(WINDOW_MS, now)
  const byBoth = attemptsWithin(WINDOW_MS, now)
  return [
    limited(byAddress, addressOf, () => MOST_PER_ADDRESS),
    limited(byAccount, accountOf, () => Number.MAX_SAFE_INTEGER),
    limited(
      byBoth,
      (req) => `${addressOf(req)} ${accountOf(req)}`,
      (req) =>
        byAccount.used(accountOf(req)) > MOST_PER_ACCOUNT ? MOST_WHILE_UNDER_ATTACK : MOST_PER_ACCOUNT_AND_ADDRESS,
    ),
  ]
}

/** For guesses at the current password by somebody who found a session open. */
export function passwordLimit({ ctx, publicUrl }: Door): RequestHandler[] {
  const whose = async (req: Request) => {
    const token = sessionToken(req, publicUrl)
    const person = token === null ? null : await signedInBy(ctx, token)
    return person?.user.id ?? addressOf(req)
  }
  return [limited(attemptsWithin(WINDOW_MS, ctx.now), whose, () => MOST_PER_ACCOUNT_AND_ADDRESS)]
}

type KeyOf = (req: Request) => string | Promise<string>

function limited(attempts: Attempts, key: KeyOf, most: (req: Request) => number): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: most,
    keyGenerator: key,
    store: attempts,
    skipSuccessfulRequests: true,
    standardHeaders: false,
    legacyHeaders: false,
    async handler(req, res, next) {
      const retryAfterSeconds = attempts.secondsLeft(await key(req))
      res.set('RateLimit-Policy', `"attempts";q=${most(req)};w=${WINDOW_MS / 1000}`)
      res.set('RateLimit', `"attempts";r=0;t=${retryAfterSeconds}`)
      const minutes = Math.ceil(retryAfterSeconds / 60)
      const when = minutes === 1 ? 'a minute' : `${minutes} minutes`
      next(
        new Refusal('rate_limited', `Too many attempts failed from here. Try again in ${when}.`, { retryAfterSeconds }),
      )
    },
  })
}

/** Whoever has one IPv6 address usually has its /64. */
function addressOf(req: Request): string {
  return ipKeyGenerator(req.seen.address, 64)
}

function accountOf(req: Request): string {
  return text(req, 'email').toLowerCase().slice(0, 254)
}
