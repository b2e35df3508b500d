import type { Sought } from './rank.ts'
import { stem, wordsOf } from './words.ts'

const LENGTH = 260
const LEAD = 60
const MOST_PLACES = 200

/** Where a word stands that was asked for. */
type Place = { at: number; word: string; weight: number }

/** The stretch of a section that says most of what was asked for, on one line. */
export function snippetOf(text: string, sought: Sought[]): string {
  const flat = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^(?:```|~~~|[\s:|-]+$)/.test(line))
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (flat.length <= LENGTH) return flat
  const asked = new Map(sought.flatMap(({ ways, weight }) => ways.flat().map((word) => [word, weight] as const)))
  const places: Place[] = []
  for (const { 0: text, index } of flat.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    const word = stem(wordsOf(text)[0] ?? '')
    const weight = asked.get(word)
    if (weight !== undefined) places.push({ at: index, word, weight })
    if (places.length >= MOST_PLACES) break
  }
  return cut(flat, Math.min(bestOf(places), flat.length - LENGTH))
}

/** Where the stretch begins in which most of it stands. */
function bestOf(places: Place[]): number {
  let best = { from: 0, worth: -1 }
  let [first, behind] = [0, 0]
  for (const { at } of places) {
    const from = Math.max(0, at - LEAD)
    while (places[first]!.at < from) first++
    while (behind < places.length && places[behind]!.at < from + LENGTH - 20) behind++
    const within = new Map(places.slice(first, behind).map(({ word, weight }) => [word, weight]))
    const worth = within.values().reduce((a, b) => a + b, 0)
    if (worth > best.worth) best = { from, worth }
  }
  return best.from
}

function cut(text: string, near: number): string {
  const from = near <= 0 ? 0 : text.indexOf(' ', near - 1) + 1
  const end = from + LENGTH >= text.length ? text.length : text.lastIndexOf(' ', from + LENGTH)
  const to = end <= from ? from + LENGTH : end
  return `${from > 0 ? '… ' : ''}${text.slice(from, to).toWellFormed()}${to < text.length ? ' …' : ''}`
}
