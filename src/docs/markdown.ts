import type { Part } from './sections.ts'

const FENCE = /^ {0,3}(`{3,}|~{3,})/
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/
const UNDERLINE = /^ {0,3}(=+|-{2,})[ \t]*$/
/** What is read of a heading: some patterns below take long for a very long line. */
const LONGEST_HEADING = 400
const NO_PARAGRAPH = /^\s*(?:$|[>|#]|[-*+] |\d+[.)] |```|~~~| {4})/

/** Markdown cut before its headings; all of it is kept, so that the parts joined are the document. */
export function markdownParts(text: string, mdx: boolean): { title: string | null; parts: Part[] } {
  const { title, rest } = frontMatter(text)
  const lines = (mdx ? withoutModules(rest) : rest).split('\n')
  const parts: Part[] = []
  let level = 0
  let heading = ''
  let leadLines = 0
  let begin = 0
  let fence: string | null = null

  function end(before: number): void {
    const body = lines.slice(begin, before).map(withNewline)
    const lead = body.slice(0, leadLines).join('').length
    if (before > begin) parts.push({ level, heading, text: body.join(''), lead })
    begin = before
  }
  const withNewline = (line: string) => `${line}\n`

  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    const mark = FENCE.exec(line)?.[1] ?? null
    if (fence !== null) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = null
      continue
    }
    if (mark !== null) {
      fence = mark
      continue
    }
    const hashed = HEADING.exec(line)
    if (hashed) {
      end(at)
      level = hashed[1]!.length
      heading = plain((hashed[2] ?? '').slice(0, LONGEST_HEADING).replace(/(?:^|[ \t]+)#+[ \t]*$/, ''))
      leadLines = 1
      continue
    }
    const underline = at > begin + (level === 0 ? 0 : leadLines) - 1 ? UNDERLINE.exec(lines[at + 1] ?? '') : null
    if (underline && !NO_PARAGRAPH.test(line)) {
      end(at)
      level = underline[1]!.startsWith('=') ? 1 : 2
      heading = plain(line)
      leadLines = 2
      at++
    }
  }
  end(lines.length)
  return { title, parts }
}

function frontMatter(text: string): { title: string | null; rest: string } {
  const match = /^---[ \t]*\n([\s\S]{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(text)
  if (!match) return { title: null, rest: text }
  const title = /^title:[ \t]*(.+)$/m.exec(match[1]!)?.[1]?.trim() ?? null
  return { title: title?.replace(/^(['"])(.*)\1$/, '$2') ?? null, rest: text.slice(match[0].length) }
}

/** The modules that a page of MDX is made with; they end at an empty line. */
function withoutModules(text: string): string {
  const kept: string[] = []
  let fence = false
  let module = false
  for (const line of text.split('\n')) {
    if (FENCE.test(line)) fence = !fence
    if (!fence && /^(?:import|export)\s/.test(line)) module = true
    else if (line.trim() === '') module = false
    if (!module || fence) kept.push(line)
  }
  return kept.join('\n')
}

/** What a reader sees of a line: no links, emphasis or tags. */
export function plain(line: string): string {
  return line
    .slice(0, LONGEST_HEADING)
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .replace(/\s*\{#[^}]*\}\s*$/, '')
    .replace(/(\*\*|__|`+)(.+?)\1/g, '$2')
    .replace(/(^|\s)[*_]([^*_]+)[*_](?=\s|$)/g, '$1$2')
    .replace(/\\([\\`*_{}[\]()#+.!-])/g, '$1')
    .trim()
}
