const UNREAD = new Set(['script', 'style', 'noscript', 'template', 'svg', 'head', 'iframe', 'object', 'textarea'])
const BLOCKS = new Set(
  `address article aside blockquote body dd details dialog div dl dt fieldset figcaption figure footer form header hr
   html li main nav ol p pre section summary table tbody tfoot thead tr ul`.split(/\s+/),
)
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/y

/** A page as Markdown: its headings, paragraphs, lists and code. Nothing of it is ever run or shown as HTML. */
export function fromHtml(html: string): { title: string | null; markdown: string } {
  const title = /<title[^>]{0,200}>([^<]{0,1000})/i.exec(html.slice(0, 50_000))?.[1]
  const out: string[] = []
  let preformatted = 0
  let headRead = false
  let at = 0

  function say(text: string): void {
    const read = unescaped(text)
    if (preformatted > 0) return void out.push(read)
    const flowing = read.replace(/\s+/g, ' ')
    out.push(out.at(-1)?.endsWith('\n') ? flowing.trimStart() : flowing)
  }

  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) {
      say(html.slice(at))
      break
    }
    if (open > at) say(html.slice(at, open))
    if (html.startsWith('<!--', open)) {
      at = after(html, '-->', open)
      continue
    }
    if (html[open + 1] === '!' || html[open + 1] === '?') {
      at = after(html, '>', open)
      continue
    }
    TAG.lastIndex = open
    const tag = TAG.exec(html)
    if (!tag) {
      say('<')
      at = open + 1
      continue
    }
    at = open + tag[0].length
    const name = tag[2]!.toLowerCase()
    const closing = tag[1] === '/'
    if (name === 'head' && headRead) continue
    if (UNREAD.has(name) && !closing) {
      at = behind(html, name, at)
      headRead ||= name === 'head'
    } else if (/^h[1-6]$/.test(name)) out.push(closing ? '\n\n' : `\n\n${'#'.repeat(Number(name[1]))} `)
    else if (name === 'br') out.push('\n')
    else if (name === 'li' && !closing) out.push('\n- ')
    else if (name === 'td' || name === 'th') out.push(closing ? ' | ' : '')
    else if (name === 'tr') out.push('\n')
    else if (name === 'pre') {
      preformatted = Math.max(0, preformatted + (closing ? -1 : 1))
      out.push(closing ? '\n```\n\n' : '\n\n```\n')
    } else if (name === 'code' && preformatted === 0) out.push('`')
    else if (BLOCKS.has(name)) out.push('\n\n')
  }
  return { title: title ? unescaped(title).replace(/\s+/g, ' ').trim() || null : null, markdown: tidy(out.join('')) }
}

function after(html: string, mark: string, from: number): number {
  const end = html.indexOf(mark, from)
  return end < 0 ? html.length : end + mark.length
}

/** The head of a page may be left open; anything else unread that is never closed hides the rest, as in a browser. */
function behind(html: string, name: string, from: number): number {
  const closing = new RegExp(name === 'head' ? '</head[^>]{0,200}>|<body' : `</${name}[^>]{0,200}>`, 'gi')
  closing.lastIndex = from
  const end = closing.exec(html)
  if (!end) return name === 'head' ? from : html.length
  return end[0].toLowerCase() === '<body' ? end.index : end.index + end[0].length
}

function tidy(text: string): string {
  return `${text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}

const NAMED: Record<string, string> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', copy: '©', reg: '®', trade: '™', hellip: '…' },
  ...{ mdash: '—', ndash: '–', lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', bull: '•', middot: '·', times: '×' },
  ...{
    rarr: '→',
    larr: '←',
    auml: 'ä',
    ouml: 'ö',
    uuml: 'ü',
    Auml: 'Ä',
    Ouml: 'Ö',
    Uuml: 'Ü',
    szlig: 'ß',
    eacute: 'é',
  },
  ...{ egrave: 'è', agrave: 'à', ccedil: 'ç', ntilde: 'ñ', oslash: 'ø', aring: 'å', aelig: 'æ', euro: '€', pound: '£' },
}

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-zA-Z]{2,8}));/g, (whole, hex, decimal, name) => {
    if (name) return NAMED[name as string] ?? whole
    const code = hex ? Number.parseInt(hex as string, 16) : Number(decimal)
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : '\ufffd'
  })
}
