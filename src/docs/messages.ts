import type { Library } from '../core/docs.ts'
import { type Code, type FieldError, Refusal } from '../core/refusal.ts'
import type { Fields } from '../log.ts'

/** What is asked of the library's own thread, one answer each. */
export const QUESTIONS = ['state', 'search', 'read', 'list', 'putFile', 'putZip', 'removeFile', 'refresh'] as const
export type QuestionName = (typeof QUESTIONS)[number]

export type ToWorker =
  | { kind: 'keep'; repos: Parameters<Library['keep']>[0] }
  | { kind: 'ask'; id: number; name: QuestionName; args: unknown[] }
  | { kind: 'close' }

export type FromWorker =
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'refused'; id: number; code: Code; message: string; errors: FieldError[] }
  | { kind: 'failed'; id: number; message: string; stack: string | undefined }
  | { kind: 'changed'; repoIds: string[] }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; message: string; fields: Fields }
  | { kind: 'closed' }

export function asAnswer(id: number, error: unknown): FromWorker {
  if (error instanceof Refusal)
    return { kind: 'refused', id, code: error.code, message: error.message, errors: error.errors }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { kind: 'failed', id, message, stack }
}

export function asError(message: FromWorker & { kind: 'refused' | 'failed' }): Error {
  if (message.kind === 'refused') return new Refusal(message.code, message.message, { errors: message.errors })
  return Object.assign(new Error(message.message), { stack: message.stack })
}
