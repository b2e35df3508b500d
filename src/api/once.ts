import type { Request } from 'express'
import type { Context } from '../core/context.ts'
import { invalid, Refusal } from '../core/refusal.ts'
import { hashToken } from '../core/secret.ts'
import type { Answer } from './operation.ts'

const REMEMBERED_MS = 86_400_000

/**
 * With an Idempotency-Key the work is done once in 24 hours for each calling key, however often it is asked for: the
 * answer is kept, without what is shown once, and sent again. A refusal changed nothing and is forgotten.
 */
export async function answerOnce(
  ctx: Context,
  callerId: string,
  req: Request,
  sent: unknown,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const name = idempotencyKey(req)
  if (name === undefined) return work()
  const { answers } = ctx.store
  const now = ctx.now()
  const fingerprint = hashToken(ctx.secrets, JSON.stringify([req.method, req.originalUrl, sent]))
  await answers.sweep(new Date(now.getTime() - REMEMBERED_MS))
  const known = await answers.begin(callerId, name, fingerprint, now)
  if (known && known.fingerprint !== fingerprint)
    throw new Refusal('conflict', 'This Idempotency-Key was used for another request. Choose a new one for each.')
  if (known && known.body === null)
    throw new Refusal(
      'conflict',
      'The first request with this Idempotency-Key has no answer yet. Try again in a moment; if it stays so, look whether the key was made and use a new Idempotency-Key.',
    )
  if (known) return { ...JSON.parse(known.body!), replayed: true }
  const answer = await work().catch(async (error) => {
    await answers.forget(callerId, name)
    throw error
  })
  await answers.finish(callerId, name, 200, JSON.stringify(kept(answer)))
  return answer
}

function kept({ body, once, revision, location }: Answer): Answer {
  return { body: { ...body, ...(once && { note: once.note }) }, revision, location }
}

function idempotencyKey(req: Request): string | undefined {
  const given = req.get('idempotency-key')
  if (given === undefined) return undefined
  if (!/^[\x20-\x7e]{1,255}$/.test(given) || given.trim() === '')
    throw invalid('Idempotency-Key', 'An Idempotency-Key is 1 to 255 printable characters.')
  return given
}
