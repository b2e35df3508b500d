import { camelParts, folded, IDLE, pairsIn } from './words.ts'

/** One thing that was asked for: a word, or several that belong together as in `mcp.tool_changed`. */
export type Term = { said: string; words: string[]; expression: string; exact: boolean }

export type Query = { terms: Term[]; last: Term | null }

const LONGEST = 1_000
const MOST_TERMS = 24

/** Anything at all can be asked: what has a meaning in the index's own language is quoted before it gets there. */
export function understand(asked: string): Query {
  const text = asked.slice(0, LONGEST).toWellFormed().replace(/\p{C}/gu, ' ').normalize('NFC')
  const quoted: Term[] = []
  const rest = text.replace(/["“”„]([^"“”„]*)["“”„]/g, (_whole, phrase: string) => {
    const term = termOf(phrase, true)
    if (term) quoted.push(term)
    return ' '
  })
  const said = rest
    .split(/\s+/)
    .map((word) => termOf(word, false))
    .filter((term) => term !== null)
  const telling = said.filter(({ words }) => !words.every((word) => IDLE.has(word)))
  const chosen = telling.length + quoted.length > 0 ? telling : said
  const terms = distinct([...quoted, ...chosen]).slice(0, MOST_TERMS)
  const last = /[\p{L}\p{N}]$/u.test(rest)
    ? (terms.find((term) => term.expression === said.at(-1)?.expression) ?? null)
    : null
  return { terms, last }
}

function termOf(said: string, exact: boolean): Term | null {
  const words = folded(said).match(/[\p{L}\p{N}]+/gu)
  if (!words) return null
  const ways = [quote(said)]
  if (!exact && words.length === 1) {
    const parts = camelParts(said.match(/[\p{L}\p{N}]+/u)![0])
    if (parts !== null) ways.push(quote(parts))
    const pairs = pairsIn(words[0]!)
    if (pairs !== null) ways.push(`parts : ${quote(pairs)}`)
  }
  return { said, words, expression: ways.length === 1 ? ways[0]! : `(${ways.join(' OR ')})`, exact }
}

/** As a string of the index's language, in which nothing but a quote has a meaning. */
export function quote(text: string): string {
  return `"${text.replaceAll('"', ' ')}"`
}

function distinct(terms: Term[]): Term[] {
  return [...new Map(terms.map((term) => [term.expression, term])).values()]
}
