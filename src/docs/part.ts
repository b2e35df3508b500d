import type { DocPart } from '../core/docs.ts'
import type { DocumentRow, SectionRow } from './shelf.ts'
import { folded } from './words.ts'

/** What fits one answer to a model beside everything else it has in mind. */
export const PAGE_LENGTH = 24_000

/** A document, or one section with what lies below it, from an offset on. Null: there is no such section. */
export function partOf(
  document: DocumentRow,
  repo: string,
  rows: SectionRow[],
  { section, offset = 0 }: { section?: string; offset?: number },
): DocPart | null {
  const chosen = section === undefined || section.trim() === '' ? rows : sectionIn(rows, section)
  if (chosen === null) return null
  const text = chosen.map((row) => row.text).join('')
  const from = whole(text, Math.min(Math.max(0, Math.trunc(offset)), text.length))
  const to = endOfPage(text, from)
  return {
    id: document.doc,
    repo,
    path: document.path,
    title: document.title,
    content: text.slice(from, to),
    nextOffset: to < text.length ? to : null,
    sections: [...new Set(rows.map(({ trail, heading }) => trail || heading))].filter((name) => name !== ''),
  }
}

/** By its heading, the headings that lead to it, or its anchor. */
function sectionIn(rows: SectionRow[], wanted: string): SectionRow[] | null {
  const name = folded(
    wanted
      .trim()
      .replace(/^#+\s*/, '')
      .replace(/\s*(?:›|>)\s*/g, ' › '),
  )
  const ways: ((row: SectionRow) => string)[] = [({ trail }) => trail, ({ anchor }) => anchor, ({ heading }) => heading]
  for (const way of ways) {
    const at = rows.findIndex((row) => folded(way(row)) === name)
    if (at < 0) continue
    const { level, anchor } = rows[at]!
    const end = rows.findIndex((row, next) => next > at && row.anchor !== anchor && row.level <= level)
    return rows.slice(at, end < 0 ? rows.length : end)
  }
  return null
}

function endOfPage(text: string, from: number): number {
  if (text.length - from <= PAGE_LENGTH) return text.length
  const line = text.lastIndexOf('\n', from + PAGE_LENGTH) + 1
  return line > from + PAGE_LENGTH / 2 ? line : whole(text, from + PAGE_LENGTH)
}

/** Not between the two halves of one sign. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return at > 0 && code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}
