import { Marked, type Tokens } from 'marked'

export type Heading = { id: string; text: string; depth: number }
export type ManualPage = { title: string; html: string; headings: Heading[] }

/**
 * A page of Markdown as HTML. What stands in it as HTML is shown, never obeyed; links lead to pages of the manual, to
 * places in the page or to https. `hrefOf`: where a page of the manual is.
 */
export function renderMarkdown(markdown: string, hrefOf: (page: string) => string | null): ManualPage {
  const headings: Heading[] = []
  let title = ''
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }) {
        const html = this.parser.parseInline(tokens)
        const plain = plainOf(text)
        if (depth === 1) {
          title ||= plain
          return `<h1>${html}</h1>\n`
        }
        const id = freeId(plain, headings)
        headings.push({ id, text: plain, depth })
        return `<h${depth} id="${id}">${html} <a class="anchor" href="#${id}" aria-label="Link to this part">#</a></h${depth}>\n`
      },
      html: ({ text }) => escaped(text),
      image: ({ text }) => escaped(text),
      link({ href, tokens }) {
        const html = this.parser.parseInline(tokens)
        const target = targetOf(href, hrefOf)
        return target === null ? html : `<a href="${escaped(target)}">${html}</a>`
      },
      code: ({ text }) => codeBlock(text),
      table(token: Tokens.Table) {
        const row = (cells: Tokens.TableCell[], tag: 'th' | 'td') =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`
        const head = token.header.some(({ text }) => text !== '') ? `<thead>${row(token.header, 'th')}</thead>` : ''
        const rows = token.rows.map((cells) => row(cells, 'td')).join('')
        return `<div class="prose-table" tabindex="0"><table>${head}<tbody>${rows}</tbody></table></div>\n`
      },
    },
  })
  const html = marked.parse(markdown, { async: false })
  return { title, html, headings }
}

function codeBlock(text: string): string {
  const code = escaped(text)
  return `<figure class="code"><pre tabindex="0" aria-label="Code"><code>${code}</code></pre><button type="button" class="button button-small scripted" data-copy="${code}"><span>Copy</span></button></figure>\n`
}

/** Null: it leads somewhere that is not served. */
function targetOf(href: string, hrefOf: (page: string) => string | null): string | null {
  if (href.startsWith('#') || /^https?:\/\//.test(href) || /^\/(?:docs|api|admin)\b/.test(href)) return href
  const [, page, anchor = ''] = /^([\w-]+)\.md(#.*)?$/.exec(href) ?? []
  const found = page === undefined ? null : hrefOf(page)
  return found && found + anchor
}

/** As GitHub makes them of headings, so that a link works there too. */
function freeId(text: string, taken: Heading[]): string {
  const plain = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
  for (let count = 0; ; count++) {
    const id = count === 0 ? plain : `${plain}-${count}`
    if (!taken.some((heading) => heading.id === id)) return id
  }
}

function plainOf(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!)
}
