import type { DocumentRow, SectionRow } from './shelf.ts'
import { IDLE, partsOf, stem, wordsOf } from './words.ts'

/** A term as it may stand in a text: each way is a row of stems. The weight says how much it tells. */
export type Sought = { ways: string[][]; weight: number }

export type Candidate = { section: SectionRow; document: DocumentRow; reading: Reading }

const SATURATION = 1.2
const LENGTH_PULL = 0.4
const USUAL_LENGTH = 140
const IN = { heading: 2.4, trail: 1, title: 1.4, body: 1 }

/** By one measure for all shelves, whose own would not compare; the best first. */
export function rank<C extends Candidate>(candidates: C[], sought: Sought[]): { candidate: C; score: number }[] {
  return candidates
    .map((candidate) => ({ candidate, score: scoreOf(candidate, sought) }))
    .sort((a, b) => b.score - a.score || a.candidate.section.id - b.candidate.section.id)
}

/** A section as the measure sees it. To make one takes longer than to judge it, so shelves remember some. */
export type Reading = {
  own: string
  heading: string[]
  trail: string[]
  title: string[]
  body: string[]
  places: Set<string>
}

export function readingOf({ section, document }: Omit<Candidate, 'reading'>): Reading {
  const own = section.heading || (section.level === 0 ? document.title : '')
  const text = section.text.slice(section.lead)
  const body = stems(`${text} ${partsOf(text)}`)
  return {
    own,
    heading: stems(own),
    trail: stems(section.trail),
    title: stems(`${document.title} ${document.path.replace(/\.[^./]+$/, '')}`),
    body,
    places: new Set(body),
  }
}

function scoreOf({ reading }: Candidate, sought: Sought[]): number {
  const { own, heading, trail, title, body, places } = reading
  const long = 1 - LENGTH_PULL + (LENGTH_PULL * body.length) / USUAL_LENGTH
  let score = 0
  let met = 0
  let all = 0
  for (const { ways, weight } of sought) {
    all += weight
    const often = ways.reduce((sum, way) => sum + timesIn(body, places, way), 0)
    const inBody = (often * (SATURATION + 1)) / (often + SATURATION * long)
    const inHeading = ways.some((way) => holds(heading, way)) ? IN.heading : 0
    const inTrail = ways.some((way) => holds(trail, way)) ? IN.trail : 0
    const inTitle = ways.some((way) => holds(title, way)) ? IN.title : 0
    const here = IN.body * inBody + inHeading + inTrail + inTitle
    if (here > 0) met += weight
    score += weight * here
  }
  const covered = all > 0 ? met / all : 0
  return score * (0.3 + 0.7 * covered * covered) * (1 + 0.5 * likeness(own, sought))
}

/** How much of a heading is what was asked for: 1 for `Rotate a key` when asked to rotate a key. */
function likeness(heading: string, sought: Sought[]): number {
  const words = wordsOf(heading).filter((word) => !IDLE.has(word))
  if (words.length === 0) return 0
  const asked = new Set(sought.flatMap(({ ways }) => ways.flat()))
  const met = words.filter((word) => asked.has(stem(word))).length
  return (met / words.length) * Math.min(1, met / Math.max(1, sought.length))
}

function stems(text: string): string[] {
  return wordsOf(text).map(stem)
}

function holds(words: string[], way: string[]): boolean {
  return timesIn(words, null, way) > 0
}

function timesIn(words: string[], known: Set<string> | null, way: string[]): number {
  if (known && !way.every((word) => known.has(word))) return 0
  let times = 0
  for (let at = words.indexOf(way[0]!); at >= 0; at = words.indexOf(way[0]!, at + 1))
    if (way.every((word, next) => words[at + next] === word)) times++
  return times
}
