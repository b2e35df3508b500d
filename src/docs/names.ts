import { DOCUMENT_KINDS } from '../core/docs.ts'
import { invalid, Refusal } from '../core/refusal.ts'
import { kindOf } from './kinds.ts'

const LONGEST_NAME_BYTES = 200
const LONGEST_PATH = 1000

/** The path under which a sent file is kept, or a sentence about what is wrong with it. */
export function pathSent(given: string): string {
  const wrong = whatIsWrong(given)
  if (wrong !== null) throw invalid('path', wrong)
  const path = given.normalize('NFC')
  if (kindOf(path) === null)
    throw new Refusal(
      'unsupported_media_type',
      `Only documents can be searched. Send a file whose name ends in one of: ${DOCUMENT_KINDS.join(', ')}.`,
    )
  return path
}

export function whatIsWrong(path: string): string | null {
  if (path === '' || path.length > LONGEST_PATH) return `Give a path of 1 to ${LONGEST_PATH} characters.`
  if (/[\p{Cc}\p{Cs}]/u.test(path)) return 'The path holds signs that cannot be seen.'
  if (path.includes('\\')) return 'Separate folders with a slash: guides/start.md.'
  if (/^(?:\/|[a-zA-Z]:)/.test(path)) return 'Give a path within the repo, such as guides/start.md.'
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..') return 'The path may not hold empty names, "." or "..".'
    if (name.startsWith('.') || name === 'node_modules') return `Hidden folders and files are not searched: ${name}.`
    if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) return `A name in the path is too long: ${name.slice(0, 40)}….`
  }
  return null
}
