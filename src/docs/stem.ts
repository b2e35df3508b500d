/**
 * M. F. Porter, An algorithm for suffix stripping (1980): the stems that SQLite's `porter` has in the index, so that
 * what it finds and what judges its findings agree.
 */
export function porter(word: string): string {
  if (word.length < 3 || word.length > LONGEST || !/^[a-z]+$/.test(word)) return word
  return last(step4(step3(step2(yToI(step1(word))))))
}

const LONGEST = 64 // of SQLite's

const VOWEL = '[aeiou]|(?<=[^aeiou])y'
const HAS_VOWEL = new RegExp(VOWEL)
const SHORT = /^(?:.*[^aeiou])?(?:[aeiou]|y)[^aeiouwxy]$/

/** How many times a vowel is followed by a consonant. */
function measure(stem: string): number {
  const kinds = stem.replace(/y/g, (_sign, at: number) => (at > 0 && !'aeiou'.includes(stem[at - 1]!) ? 'a' : 'b'))
  return (kinds.match(/[aeiou]+[^aeiou]+/g) ?? []).length
}

function hasVowel(stem: string): boolean {
  return HAS_VOWEL.test(stem)
}

/** Ends as in `hop` or `fil`: a consonant, a vowel and a consonant other than w, x, y. */
function isShort(stem: string): boolean {
  if (stem.length < 3 || !SHORT.test(stem)) return false
  const before = stem.at(-3)!
  return !'aeiou'.includes(before)
}

function step1(word: string): string {
  const single =
    word.endsWith('sses') || word.endsWith('ies') ? word.slice(0, -2) : /[^s]s$/.test(word) ? word.slice(0, -1) : word
  if (single.endsWith('eed')) return measure(single.slice(0, -3)) > 0 ? single.slice(0, -1) : single
  const bare = single.endsWith('ed') ? single.slice(0, -2) : single.endsWith('ing') ? single.slice(0, -3) : null
  if (bare === null || !hasVowel(bare)) return single
  if (/(?:at|bl|iz)$/.test(bare)) return `${bare}e`
  if (/([^aeiouylsz])\1$/.test(bare)) return bare.slice(0, -1)
  return measure(bare) === 1 && isShort(bare) ? `${bare}e` : bare
}

function yToI(word: string): string {
  return word.endsWith('y') && hasVowel(word.slice(0, -1)) ? `${word.slice(0, -1)}i` : word
}

const STEP2: [string, string][] = Object.entries({
  ...{ ational: 'ate', tional: 'tion', enci: 'ence', anci: 'ance', izer: 'ize', logi: 'log', bli: 'ble', alli: 'al' },
  ...{ entli: 'ent', eli: 'e', ousli: 'ous', ization: 'ize', ation: 'ate', ator: 'ate', alism: 'al', iveness: 'ive' },
  ...{ fulness: 'ful', ousness: 'ous', aliti: 'al', iviti: 'ive', biliti: 'ble' },
})
const STEP3: [string, string][] = Object.entries({
  ...{ icate: 'ic', ative: '', alize: 'al', iciti: 'ic', ical: 'ic', ful: '', ness: '' },
})
const STEP4 = 'al ance ence er ic able ible ant ement ment ent sion tion ou ism ate iti ous ive ize'.split(' ')

function step2(word: string): string {
  return replaced(word, STEP2)
}

function step3(word: string): string {
  return replaced(word, STEP3)
}

function replaced(word: string, endings: [string, string][]): string {
  const found = longest(endings.filter(([ending]) => word.endsWith(ending)).map(([ending]) => ending))
  if (found === null) return word
  const stem = word.slice(0, -found.length)
  return measure(stem) > 0 ? stem + endings.find(([ending]) => ending === found)![1] : word
}

function step4(word: string): string {
  const found = longest(STEP4.filter((ending) => word.endsWith(ending)))
  if (found === null) return word
  const kept = found === 'sion' || found === 'tion' ? found.slice(1).length : found.length
  const stem = word.slice(0, -kept)
  return measure(stem) > 1 ? stem : word
}

function last(word: string): string {
  let stem = word
  if (stem.endsWith('e')) {
    const bare = stem.slice(0, -1)
    if (measure(bare) > 1 || (measure(bare) === 1 && !isShort(bare))) stem = bare
  }
  return stem.endsWith('ll') && measure(stem) > 1 ? stem.slice(0, -1) : stem
}

function longest(endings: string[]): string | null {
  return endings.reduce<string | null>((best, one) => (best === null || one.length > best.length ? one : best), null)
}
