import { plain } from './markdown.ts'
import type { Part } from './sections.ts'

const ADORNMENT = /^([=\-`:'"~^_*+#<>.])\1{2,}\s*$/

/** reStructuredText: a heading's rank is that of its underline, in the order in which underlines first appear. */
export function rstParts(text: string): Part[] {
  const lines = text.split('\n')
  const ranks: string[] = []
  const parts: Part[] = []
  let open = { level: 0, heading: '', from: 0, leadLines: 0 }

  function end(before: number): void {
    const body = lines.slice(open.from, before).map((line) => `${line}\n`)
    const lead = body.slice(0, open.leadLines).join('').length
    if (before > open.from) parts.push({ level: open.level, heading: open.heading, text: body.join(''), lead })
  }

  for (let at = 0; at + 1 < lines.length; at++) {
    const title = lines[at]!
    const sign = ADORNMENT.exec(lines[at + 1]!)?.[1]
    if (!sign || title.trim() === '' || ADORNMENT.test(title)) continue
    const over = ADORNMENT.exec(lines[at - 1] ?? '')?.[1] === sign && at > open.from
    if (/^\s/.test(title) && !over) continue
    const rank = (over ? 'over' : '') + sign
    if (!ranks.includes(rank)) ranks.push(rank)
    const from = over ? at - 1 : at
    end(from)
    open = {
      level: Math.min(6, ranks.indexOf(rank) + 1),
      heading: plain(
        title
          .slice(0, 400)
          .replace(/:[a-z]+:`([^`<]*)(?:<[^>]*>)?`/g, '$1')
          .replace(/``?([^`]+)``?/g, '$1'),
      ),
      from,
      leadLines: at + 2 - from,
    }
    at++
  }
  end(lines.length)
  return parts
}
