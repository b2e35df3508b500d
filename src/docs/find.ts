import type { Hit } from '../core/docs.ts'
import { type Query, quote, type Term, understand } from './query.ts'
import { type Candidate, rank, type Sought } from './rank.ts'
import type { DocumentRow, Shelf } from './shelf.ts'
import { snippetOf } from './snippet.ts'
import { distance, forgiven } from './spelling.ts'
import { stem } from './words.ts'

export type Searched = {
  shelf: Shelf
  /** As its readers call it. */
  repo: string
  /** False for a document that is gone since it was read. */
  isThere(document: DocumentRow): boolean
}

const CANDIDATES = 24
const MOST_OF_A_DOCUMENT = 3
const MOST_BEGINNING = 24
const MOST_ALIKE = 6

/** The sections that answer best, of all these shelves together. */
export function find(shelves: Searched[], asked: string, limit: number): Hit[] {
  const query = understand(asked)
  if (query.terms.length === 0) return []
  const unheard = new Set(
    query.terms.filter(({ expression }) => shelves.every(({ shelf }) => shelf.count(expression) === 0)),
  )
  const slips: Slips = new Map([...unheard].slice(0, MOST_FORGIVEN).map((term) => [term, MOST_COMPARED]))
  const looked = shelves.map((one) => ({ ...one, ...candidatesIn(one.shelf, query, slips, limit) }))
  const total = looked.reduce((sum, { sections }) => sum + sections, 0)
  const sought = query.terms.map((_, at): Sought => {
    const found = looked.map(({ terms }) => terms[at]!)
    const among = found.reduce((sum, { count }) => sum + count, 0)
    return {
      ways: [...new Map(found.flatMap(({ ways }) => ways).map((way) => [way.join(' '), way])).values()],
      weight: Math.log(1 + (total - among + 0.5) / (among + 0.5)),
    }
  })
  const all = looked.flatMap(({ shelf, repo, isThere, ids }) =>
    ids.map((id): Candidate & { repo: string; isThere: Searched['isThere'] } => {
      const { section, document, reading } = shelf.candidate(id)
      return { section, document, reading, repo, isThere }
    }),
  )
  const hits: Hit[] = []
  const taken = new Map<string, number>()
  for (const { candidate, score } of rank(all, sought)) {
    const { section, document, repo, isThere } = candidate
    const place = `${repo}/${document.path}`
    const times = taken.get(place) ?? 0
    if (times >= MOST_OF_A_DOCUMENT || !isThere(document)) continue
    taken.set(place, times + 1)
    hits.push({
      id: document.doc,
      repo,
      path: document.path,
      title: document.title,
      heading: section.trail || document.title,
      anchor: section.anchor,
      snippet: snippetOf(section.text.slice(section.lead), sought),
      score: Math.round(score * 100) / 100,
    })
    if (hits.length >= limit) break
  }
  return hits
}

/** Words that are taken for slips, each with how many words of all shelves may still be compared with it. */
type Slips = Map<Term, number>

const MOST_FORGIVEN = 3
const MOST_COMPARED = 30_000

type Resolved = { expression: string; ways: string[][]; count: number; exact: boolean }

/** First what holds every word, then, where that is little, what holds some of them. */
function candidatesIn(shelf: Shelf, { terms, last }: Query, slips: Slips, limit: number) {
  const sections = shelf.sections()
  const resolved = terms.map((term) => resolve(shelf, term, term === last, slips))
  const found = resolved.filter(({ count }) => count > 0)
  const lacking = resolved.some(({ exact, count }) => exact && count === 0)
  const ids = new Set<number>()
  const most = Math.max(CANDIDATES, limit * 2)
  const look = (all: string[], atMost: number) => {
    const expression = all.join(' AND ')
    const hits = atMost <= MANY ? shelf.best(expression, most) : shelf.some(expression, most)
    for (const { id } of hits) ids.add(id)
  }
  if (found.length > 0 && !lacking) {
    const must = found.filter(({ exact }) => exact)
    look(expressionsOf(found), rarestOf(found))
    if (ids.size < limit * 2 && found.length > must.length) {
      const some = tellingOf(found.filter(({ exact }) => !exact))
      const many = some.reduce((sum, { count }) => sum + count, 0)
      look([...expressionsOf(must), `(${expressionsOf(some).join(' OR ')})`], Math.min(many, rarestOf(must)))
    }
  }
  return { sections, terms: resolved, ids: [...ids] }
}

/** To put more than so many in order takes longer than it tells: a word that stands everywhere says little. */
const MANY = 8_000

function expressionsOf(terms: Resolved[]): string[] {
  return terms.map(({ expression }) => expression)
}

function rarestOf(terms: Resolved[]): number {
  return Math.min(...terms.map(({ count }) => count))
}

/** A word in every second section finds no more than the rarer ones beside it. */
function tellingOf(terms: Resolved[]): Resolved[] {
  const telling = terms.filter(({ count }) => count <= Math.min(MANY, Math.max(MANY / 4, rarestOf(terms) * 20)))
  return telling.length > 0 ? telling : terms
}

/** A word that no shelf holds is taken for another that is spelled alike; one that another shelf holds is no slip. */
function resolve(shelf: Shelf, term: Term, isLast: boolean, slips: Slips): Resolved {
  const plain = { ways: [term.words.map(stem)], exact: term.exact }
  const count = shelf.count(term.expression)
  if (count > 0 && !(isLast && term.words.length === 1 && count < 3))
    return { expression: term.expression, ...plain, count }
  if (term.exact || term.words.length > 1) return severally(shelf, term, count)
  const word = term.words[0]!
  const isHeld = (other: string) => shelf.count(quote(other)) > 0 // a word may outlive its documents
  const others = isLast ? shelf.wordsBeginning(word, MOST_BEGINNING).filter(isHeld) : []
  if (others.length === 0) others.push(...wordsLike(shelf, term, slips, isHeld))
  const expression = [term.expression, ...others.map(quote)].join(' OR ')
  const ways = [...plain.ways, ...others.map((other) => [stem(other)])]
  return {
    expression: `(${expression})`,
    ways,
    exact: false,
    count: others.length > 0 ? shelf.count(expression) : count,
  }
}

/** What belongs together and is found nowhere so, is looked for by its parts; unless it was quoted. */
function severally(shelf: Shelf, term: Term, count: number): Resolved {
  const { expression, words, exact } = term
  const ways = [words.map(stem)]
  if (exact || count > 0) return { expression, ways, exact, count }
  const parts = `(${words.map(quote).join(' AND ')})`
  return { expression: parts, ways: words.map((word) => [stem(word)]), exact, count: shelf.count(parts) }
}

/** Who slips mostly gets the first sign right, or has it second. */
function wordsLike(shelf: Shelf, term: Term, slips: Slips, isHeld: (word: string) => boolean): string[] {
  const word = term.words[0]!
  const most = forgiven(word.length)
  if (most === 0 || !slips.has(term)) return []
  const others = [...new Set([...word].slice(0, 2))].flatMap((start) => {
    const left = slips.get(term)!
    const some = shelf.wordsOfLength(start, word.length - most, word.length + most, left)
    slips.set(term, left - some.length)
    return some
  })
  const found: { other: string; slips: number }[] = []
  for (const other of others) {
    const slips = distance(word, other, most)
    if (slips <= most && (word.length > 3 || isSwapped(word, other)) && isHeld(other)) found.push({ other, slips })
  }
  const least = Math.min(...found.map(({ slips }) => slips))
  return found
    .filter(({ slips }) => slips === least)
    .map(({ other }) => other)
    .slice(0, MOST_ALIKE)
}

/** So short a word is near to too many: only two signs in the wrong order are forgiven. */
function isSwapped(a: string, b: string): boolean {
  return [...a].sort().join('') === [...b].sort().join('')
}
