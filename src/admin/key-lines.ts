import { type FieldError, Refusal } from '../core/refusal.ts'

export type PastedKey = { line: number; typed: string; name: string; sha256: string; hint: string | null }

const DIGEST = /(?<![0-9a-z])[0-9a-f]{64}(?![0-9a-z])/i
const BETWEEN = /^[\s,;|*"-]+|[\s,;|"-]+$/g
const MOST_LINES = 500

/** Lines of `name, SHA-256, hint`, or as sha256sum prints them, `SHA-256  name`. All that is wrong is told at once. */
export function readPastedKeys(text: string, field: string): PastedKey[] {
  const lines = text.split('\n').map((typed, at) => ({ line: at + 1, typed: typed.trim() }))
  const keys = lines.filter(({ typed }) => typed !== '').map(({ line, typed }) => keyIn(line, typed))
  if (keys.length === 0)
    throw new Refusal('validation_failed', 'Paste at least one line.', refused(['Paste at least one line.']))
  if (keys.length > MOST_LINES) {
    const sentence = `Paste at most ${MOST_LINES} lines at a time.`
    throw new Refusal('validation_failed', sentence, refused([sentence]))
  }
  const wrong = keys.filter((key) => typeof key === 'string')
  if (wrong.length > 0) throw new Refusal('validation_failed', wrong[0]!, refused(wrong))
  return keys.filter((key) => typeof key !== 'string')

  function refused(sentences: string[]): { errors: FieldError[] } {
    return { errors: sentences.map((message) => ({ field, message })) }
  }
}

/** Or what is wrong with the line. */
function keyIn(line: number, typed: string): PastedKey | string {
  const found = DIGEST.exec(typed)
  if (!found) return `Line ${line} has no SHA-256: 64 digits of 0-9 and a-f. Paste the hash, never the key itself.`
  const before = typed.slice(0, found.index).replace(BETWEEN, '')
  const after = typed.slice(found.index + found[0].length).replace(BETWEEN, '')
  if (!before && !after) return `Line ${line} has no name. Write one before the hash, with a comma between.`
  return { line, typed, name: before || after, sha256: found[0], hint: before ? after || null : null }
}
