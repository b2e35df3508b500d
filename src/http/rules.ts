import * as z from 'zod'
import { Refusal } from '../core/refusal.ts'

/** A rule of `core/` as a check, so that its complaint stands beside the others. */
export function ruled<S extends z.ZodType>(schema: S, rule: (value: z.output<S>) => unknown): S {
  return schema.superRefine((value, issues) => {
    const message = complaint(() => rule(value))
    if (message) issues.addIssue({ code: 'custom', message })
  })
}

/** A text that a rule of `core/` reads into something else. */
export function ruledText<T>(read: (text: string) => T) {
  return z.string().transform((text, issues) => {
    const message = complaint(() => read(text))
    if (message === null) return read(text)
    issues.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

function complaint(rule: () => unknown): string | null {
  try {
    rule()
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}
