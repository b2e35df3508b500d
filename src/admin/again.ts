import type { Response } from 'express'
import { type FieldError, Refusal } from '../core/refusal.ts'
import { STATUS } from '../http/refusals.ts'

/** What was wrong with a form: a line of the summary above it each, and beside the field if it names one. */
export type Wrong = { field?: string; message: string }[]

/** Whether a form may be mended and sent again; anything else gets a page of its own. */
const MENDABLE = new Set<Refusal['code']>([
  'validation_failed',
  'conflict',
  'precondition_failed',
  'key_limit_reached',
  'recently_used',
])

/** A refused form comes back as it was filled in, with what was wrong. */
export async function orAgain(
  res: Response,
  act: () => Promise<unknown>,
  again: (errors: Wrong, code: Refusal['code']) => unknown,
): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof Refusal) || !MENDABLE.has(error.code)) throw error
    res.status(STATUS[error.code])
    await again(wrongIn(error), error.code)
  }
}

export function wrongIn(refusal: Refusal): Wrong {
  const errors: FieldError[] = refusal.errors
  return errors.length > 0 ? errors : [{ message: refusal.message }]
}
