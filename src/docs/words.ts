import { porter } from './stem.ts'

const WORD = /[\p{L}\p{N}]+/gu
const ASCII = /^\p{ASCII}*$/u
const CAMEL = /\p{Ll}\p{Lu}|\p{Lu}{2}\p{Ll}/u
const CAMEL_PART = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|[\p{Lo}\p{Lm}\p{Lt}]+/gu
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]{2,}/gu

/** Lower case without accents, as the index has them. */
export function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

export function wordsOf(text: string): string[] {
  if (ASCII.test(text)) return text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  return folded(text).match(WORD) ?? []
}

/** `getUserName` → `get user name`; null for a word that has no parts. */
export function camelParts(word: string): string | null {
  return CAMEL.test(word) ? (word.match(CAMEL_PART) ?? []).join(' ').toLowerCase() : null
}

/** What stands within words: the parts of identifiers, and pairs of signs in scripts that put no spaces. */
export function partsOf(text: string): string {
  const found = new Set<string>()
  if (CAMEL.test(text))
    for (const [word] of text.matchAll(WORD)) {
      const parts = camelParts(word)
      if (parts !== null) found.add(parts)
    }
  const pairs = [...text.matchAll(UNSPACED)].map(([run]) => pairsOf(run))
  return [...found, ...pairs].join(' ')
}

/** Null unless the whole word is written without spaces. */
export function pairsIn(word: string): string | null {
  return word.match(UNSPACED)?.[0] === word ? pairsOf(word) : null
}

function pairsOf(run: string): string {
  const signs = [...run]
  return signs
    .slice(1)
    .map((sign, at) => signs[at]! + sign)
    .join(' ')
}

const stems = new Map<string, string>()
const MOST_STEMS = 50_000

/** Alike for the forms of one English word. */
export function stem(word: string): string {
  const known = stems.get(word)
  if (known !== undefined) return known
  if (stems.size >= MOST_STEMS) stems.clear()
  const found = porter(word)
  stems.set(word, found)
  return found
}

/** Words that a question is made of and that no section is about. */
export const IDLE = new Set(
  `a about after all also am an and any are as at be been but by can could did do does each for from get had has have
   how i if in into is it its just me my need of on or our please should show so some tell than that the their them
   then there these they this those to up us use using via want was way we were what when where which while who why
   will with without would you your`.split(/\s+/),
)
