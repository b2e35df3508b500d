import { texts } from './quality.ts'

export type Section = { id: number; path: string; heading: string; body: string }

const WORDS_IN_BODY = 90
const DOCUMENT = 10

/** As many sections as wanted, of real words as often as words are used; the same in each run. */
export function sectionsOf(count: number): Section[] {
  const next = random(20261121)
  const words = vocabulary()
  const word = () => words[Math.floor(words.length ** next()) - 1] ?? words[0]!
  const row = (length: number) => Array.from({ length }, word).join(' ')
  return Array.from({ length: count }, (_, id) => ({
    id,
    path: `d${Math.floor(id / DOCUMENT / 100)}/f${Math.floor(id / DOCUMENT)}.md`,
    heading: row(3),
    body: row(WORDS_IN_BODY),
  }))
}

/** Two or three words that stand in one of the sections together. */
export function queriesFor(sections: Section[], count: number): string[] {
  const next = random(7)
  return Array.from({ length: count }, () => {
    const { body } = sections[Math.floor(next() * sections.length)]!
    const words = body.split(' ').filter((word) => word.length > 4)
    const from = Math.floor(next() * Math.max(1, words.length - 3))
    return words.slice(from, from + 2 + Math.floor(next() * 2)).join(' ')
  })
}

/** Real words by how often they are used, then as many made from them, so that there are rare ones too. */
function vocabulary(): string[] {
  const often = new Map<string, number>()
  for (const { text } of texts())
    for (const word of text.toLowerCase().match(/[a-z]{2,}/g) ?? []) often.set(word, (often.get(word) ?? 0) + 1)
  const real = [...often].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([word]) => word)
  return [
    ...real,
    ...real.flatMap((word, at) => [0, 1, 2, 3, 4].map((n) => word + real[(at * 7 + n * 131) % real.length]!)),
  ]
}

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
