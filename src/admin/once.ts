import { randomBytes } from 'node:crypto'
import type { Context } from '../core/context.ts'
import { Refusal } from '../core/refusal.ts'

const SHAPE = /^([0-9a-z]{8,11})-[0-9a-f]{32}$/
/** Shorter than answers are remembered, so that none is forgotten while its form can still be sent. */
const GOOD_FOR_MS = 12 * 3_600_000

export function newOnce(now: Date): string {
  return `${now.getTime().toString(36)}-${randomBytes(16).toString('hex')}`
}

/**
 * Does what a form asks for at most once, however often it is sent: reloading the page that showed a secret must not
 * make a second one. A form that was refused may be mended and sent again.
 */
export async function once<T>(ctx: Context, userId: string, token: string, act: () => Promise<T>): Promise<T> {
  const now = ctx.now()
  const made = Number.parseInt(SHAPE.exec(token)?.[1] ?? '0', 36)
  if (now.getTime() - made > GOOD_FOR_MS || made > now.getTime() + GOOD_FOR_MS)
    throw new Refusal('bad_request', 'This form is too old. Open it again, and send it from there.')
  const sender = `form:${userId}`
  if (await ctx.store.answers.begin(sender, token, '', now))
    throw new Refusal(
      'conflict',
      'This form was sent already, and what it made was shown then. Look for it in the list, or open the form again.',
    )
  try {
    const done = await act()
    await ctx.store.answers.finish(sender, token, 200, '')
    return done
  } catch (error) {
    await ctx.store.answers.forget(sender, token)
    throw error
  }
}
