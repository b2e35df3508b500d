import type { Sought } from './rank.ts'
import { stem, wordsOf } from './words.ts'

const LENGTH = 260

/** The stretch of a section that says most of what was asked for, on one line. */
export function snippetOf(text: string, sought: Sought[]): string {
  const flat = text
    .replace(/^\s*(?:```.*|~~~.*|\|?[\s:|-]+\|?)$/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (flat.length <= LENGTH) return flat
  const asked = new Map(sought.flatMap(({ ways, weight }) => ways.flat().map((word) => [word, weight] as const)))
  const places = [...flat.matchAll(/[\p{L}\p{N}\p{M}]+/gu)].flatMap(({ 0: word, index }) => {
    const known = asked.get(stem(wordsOf(word)[0] ?? ''))
    return known === undefined ? [] : [{ at: index, word: stem(wordsOf(word)[0]!), weight: known }]
  })
  let best = { from: 0, worth: -1 }
  for (const { at } of places) {
    const from = Math.max(0, at - 60)
    const within = places.filter((one) => one.at >= from && one.at < from + LENGTH - 20)
    const worth = new Map(within.map(({ word, weight }) => [word, weight])).values().reduce((a, b) => a + b, 0)
    if (worth > best.worth) best = { from, worth }
  }
  return cut(flat, Math.min(best.from, flat.length - LENGTH))
}

function cut(text: string, near: number): string {
  const from = near <= 0 ? 0 : text.indexOf(' ', near - 1) + 1
  const end = from + LENGTH >= text.length ? text.length : text.lastIndexOf(' ', from + LENGTH)
  const to = end <= from ? from + LENGTH : end
  return `${from > 0 ? '… ' : ''}${text.slice(from, to).toWellFormed()}${to < text.length ? ' …' : ''}`
}
