import { posix } from 'node:path'
import { fromHtml } from './html.ts'
import { type Kind, kindOf } from './kinds.ts'
import { markdownParts } from './markdown.ts'
import { rstParts } from './rst.ts'

/** A stretch of a document as it was cut: `text` with its heading, of which the first `lead` characters are. */
export type Part = { level: number; heading: string; text: string; lead: number }

export type Section = Part & {
  /** The headings that lead here, below the document's title. */
  trail: string
  anchor: string
}

export type Document = { title: string; sections: Section[] }

const LONGEST = 6_000
const MOST_PARTS = 5_000
const MOST_MARKS = 500_000

/** What is wrong with a document that is passed over, in a sentence. */
export class Unreadable extends Error {}

export function documentOf(path: string, text: string): Document {
  const kind = kindOf(path) ?? 'text'
  refuseTooMany(kind, text)
  const { title, parts } = partsOf(kind, text.replaceAll('\r\n', '\n'))
  const named = title ?? parts.find(({ level }) => level === 1)?.heading ?? ''
  const shown = clipped(named.trim(), 200) || titleOf(path)
  return { title: shown, sections: placed(fewEnough(parts), shown).flatMap(shortEnough) }
}

/** One document is read in one go, and everybody waits for as long: what takes long is not its length, but its parts. */
function refuseTooMany(kind: Kind, text: string): void {
  if (kind === 'text') return
  const [mark, what] = kind === 'html' ? ['<', 'tags'] : ['\n', 'lines']
  let count = 0
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1))
    if (++count > MOST_MARKS) throw new Unreadable(`It has more than ${MOST_MARKS.toLocaleString('en')} ${what}.`)
}

type Cut = { title: string | null; parts: Part[] }

function partsOf(kind: Kind, text: string): Cut {
  if (kind === 'text') return { title: null, parts: [{ level: 0, heading: '', text, lead: 0 }] }
  if (kind === 'rst') return { title: null, parts: rstParts(text) }
  if (kind !== 'html') return markdownParts(text, kind === 'mdx')
  const page = fromHtml(text)
  const cut = markdownParts(page.markdown, false)
  return { ...cut, title: cut.parts.find(({ level }) => level === 1)?.heading ?? page.title }
}

/** `guides/getting-started.md` → `Getting started`; an index is named by its folder. */
function titleOf(path: string): string {
  const base = posix.basename(path, posix.extname(path))
  const folder = posix.basename(posix.dirname(path))
  const name = /^(?:index|readme)$/i.test(base) && folder !== '.' && folder !== '' ? folder : base
  const words = name.replace(/[-_\s]+/g, ' ').trim() || name
  return clipped(words.charAt(0).toUpperCase() + words.slice(1), 200)
}

/** A file of headings alone is one long text from some point on. */
function fewEnough(parts: Part[]): Part[] {
  if (parts.length <= MOST_PARTS) return parts
  const last = parts[MOST_PARTS - 1]!
  const rest = parts.slice(MOST_PARTS - 1).map(({ text }) => text)
  return [...parts.slice(0, MOST_PARTS - 1), { ...last, text: rest.join('') }]
}

function placed(parts: Part[], title: string): Section[] {
  const above: string[] = []
  const seen = new Map<string, number>()
  return parts
    .filter(({ text }) => text.trim() !== '')
    .map((part) => {
      const heading = clipped(part.heading, 300)
      if (part.level > 0) {
        above.length = Math.min(above.length, part.level - 1)
        above[part.level - 1] = heading
      }
      const trail = above.filter((one, at) => one && !(at === 0 && one === title)).join(' › ')
      return { ...part, heading, trail, anchor: anchorOf(heading, seen) }
    })
}

/** As GitHub makes them, so that links in documents lead somewhere. */
function anchorOf(heading: string, seen: Map<string, number>): string {
  const bare = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
  const times = seen.get(bare) ?? 0
  seen.set(bare, times + 1)
  return times === 0 ? bare : `${bare}-${times}`
}

/** A long section becomes several of the same heading, cut between paragraphs where there are any. */
function shortEnough(section: Section): Section[] {
  const { text } = section
  const pieces: Section[] = []
  let from = 0
  while (text.length - from > LONGEST) {
    const to = cutBefore(text, from)
    pieces.push({ ...section, text: text.slice(from, to), lead: from === 0 ? section.lead : 0 })
    from = to
  }
  pieces.push({ ...section, text: text.slice(from), lead: from === 0 ? section.lead : 0 })
  return pieces
}

function cutBefore(text: string, from: number): number {
  const window = text.slice(from, from + LONGEST)
  for (const mark of ['\n\n', '\n', ' ']) {
    const at = window.lastIndexOf(mark)
    if (at > LONGEST / 2) return from + at + mark.length
  }
  const code = text.charCodeAt(from + LONGEST)
  return from + LONGEST - (code >= 0xdc00 && code <= 0xdfff ? 1 : 0) // a sign of two halves stays whole
}

function clipped(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`
}
