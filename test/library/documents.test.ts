import { describe, expect, it } from 'vitest'
import { documentOf } from '../../src/docs/sections.ts'
import { over } from './support.ts'

function outline(path: string, text: string): string[] {
  return documentOf(path, text).sections.map(({ level, trail, anchor }) => `${level} ${trail} #${anchor}`)
}

describe('a document', () => {
  it('of Markdown is cut before its headings, and nothing of it is lost', () => {
    const text =
      '---\ntitle: "My page"\n---\nIntro.\n\nTop\n===\n\n```\n# no heading\n```\n\n## `code` & [link](x) ##\n\nText\n\n### Deep\n\n## Deep\n'
    const { title, sections } = documentOf('a.md', text)
    expect(title).toBe('My page')
    expect(outline('a.md', text)).toEqual([
      '0  #',
      '1 Top #top',
      '2 Top › code & link #code--link',
      '3 Top › code & link › Deep #deep',
      '2 Top › Deep #deep-1',
    ])
    expect(
      sections
        .map((section) => section.text)
        .join('')
        .trimEnd(),
    ).toBe(text.split('---\n')[2]!.trimEnd())
  })

  it('of MDX has its modules left out', () => {
    const { sections } = documentOf(
      'a.mdx',
      "import A from './a'\nexport const b = {\n  c: 1\n}\n\n# Hi\n\n```js\nimport kept\n```\n",
    )
    expect(sections.map(({ text }) => text).join('')).not.toContain('./a')
    expect(sections.map(({ text }) => text).join('')).toContain('import kept')
  })

  it('of reStructuredText has its headings ranked by their underlines', () => {
    const text = '====\nTop\n====\n\nIntro\n\nOne\n---\n\na\n\nTwo ``x``\n~~~~~~~~~\n\nb\n\nThree\n-----\n\nc\n'
    expect(outline('a.rst', text)).toEqual(['1  #top', '2 One #one', '3 One › Two x #two-x', '2 Three #three'])
  })

  it('of HTML is read without scripts, styles and markup', () => {
    const { title, sections } = documentOf(
      'a.html',
      '<!doctype html><html><head><title>T &amp; t</title><style>p{color:red}</style><script>evil()</script></head><body onload="evil()"><!-- hidden --><h1>Big <em>one</em></h1><p>a &lt;b&gt; &#x41;<script type="x">evil("</p>")</script><h2 id=x>Sub</h2><ul><li>one<li>two</ul><pre>x\n  y</pre></body>',
    )
    const text = sections.map((section) => section.text).join('')
    expect(title).toBe('Big one')
    expect(text).toContain('a <b> A')
    expect(text).toContain('```\nx\n  y\n```')
    expect(text).not.toMatch(/evil|color|hidden|onload/)
    expect(sections.map(({ trail }) => trail)).toEqual(['', 'Sub'])
  })

  it('is named by its file where it has no title', () => {
    expect(documentOf('guides/getting-started.md', 'x').title).toBe('Getting started')
    expect(documentOf('guides/index.md', 'x').title).toBe('Guides')
    expect(documentOf('README.md', 'x').title).toBe('README')
  })

  it('of one long text becomes sections of a bearable length', () => {
    const text = `# One\n\n${'A sentence of some words. '.repeat(4000)}`
    const { sections } = documentOf('a.md', text)
    expect(sections.length).toBeGreaterThan(15)
    expect(Math.max(...sections.map((section) => section.text.length))).toBeLessThanOrEqual(6000)
    expect(
      sections
        .map((section) => section.text)
        .join('')
        .trimEnd(),
    ).toBe(text.trimEnd())
  })

  it.each([
    ['headings', '# x\n'.repeat(500_000)],
    ['one line', 'x'.repeat(5_000_000)],
    ['blanks', `# ${' '.repeat(5_000_000)}x`],
    ['brackets', '['.repeat(5_000_000)],
    ['fences', '```\n'.repeat(500_000)],
  ])('of nothing but %s is cut in the time that its length takes', (_what, text) => {
    for (const path of ['a.md', 'a.mdx', 'a.rst', 'a.html', 'a.txt']) {
      const { sections } = documentOf(path, text)
      expect(sections.length).toBeLessThan(20_000)
    }
  })

  it.each([
    ['open tags', '<'.repeat(500_000)],
    ['tags', '<p>'.repeat(500_000)],
    ['scripts', '<script>'.repeat(300_000)],
    ['ends of scripts', `<script>${'</script'.repeat(300_000)}`],
    ['heads', '<head>'.repeat(300_000)],
    ['titles', '<title'.repeat(300_000)],
    ['quotes', '<a "'.repeat(300_000)],
    ['entities', '&amp'.repeat(500_000)],
  ])('of HTML that is nothing but %s likewise', (_what, text) => {
    expect(documentOf('a.html', text).sections.length).toBeLessThan(20_000)
  })
})

describe('get_doc', () => {
  const TEXT = '# Guide\n\nIntro.\n\n## One\n\nFirst.\n\n### Deep\n\nInside.\n\n## Two\n\nSecond.\n'

  it.each(['One', '## One', 'one', 'ONE'])('reads a section with what lies below it, named %j', async (section) => {
    const { library, repo } = await over({ 'a.md': TEXT })
    const part = await library.read([repo], { repo: repo.name, path: 'a.md' }, { section })
    expect(part).toMatchObject({
      content: '## One\n\nFirst.\n\n### Deep\n\nInside.\n\n',
      sections: ['Guide', 'One', 'One › Deep', 'Two'],
      nextOffset: null,
    })
  })

  it('reads a section by the headings that lead to it, as search names them', async () => {
    const { library, repo, find } = await over({ 'a.md': TEXT })
    const [hit] = await find('inside')
    expect(hit!.heading).toBe('One › Deep')
    expect(await library.read([repo], { id: hit!.id }, { section: hit!.heading })).toMatchObject({
      content: '### Deep\n\nInside.\n\n',
    })
    expect(await library.read([repo], { id: hit!.id }, { section: 'Three' })).toBeNull()
  })

  it('reads a long document in pages that join to the whole', async () => {
    const text = Array.from({ length: 3000 }, (_, at) => `Line ${at} of a long text 🦭.`).join('\n')
    const { library, repo } = await over({ 'a.md': text })
    const pages: string[] = []
    for (let offset: number | null = 0; offset !== null; ) {
      const part = await library.read([repo], { repo: repo.id, path: 'a.md' }, { offset })
      pages.push(part!.content)
      offset = part!.nextOffset
    }
    expect(pages.length).toBeGreaterThan(2)
    expect(pages.join('').trimEnd()).toBe(text)
    for (const page of pages) expect(page.isWellFormed()).toBe(true)
  })

  it('does not mind an offset beyond the end', async () => {
    const { library, repo } = await over({ 'a.md': 'x' })
    const part = await library.read([repo], { repo: repo.id, path: 'a.md' }, { offset: 1e9 })
    expect(part).toMatchObject({ content: '', nextOffset: null })
  })
})
