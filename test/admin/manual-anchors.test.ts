import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { renderMarkdown } from '../../src/admin/markdown.ts'
import { furnishOlder } from '../../src/core/repos/furnish.ts'
import { documentOf } from '../../src/docs/sections.ts'
import { start } from '../support/start.ts'

const pages = [...new Bun.Glob('*.md').scanSync('docs')]

it.each(pages)('what a search finds in %s has its place on the page', (page) => {
  const text = readFileSync(`docs/${page}`, 'utf8')
  const ids = new Set(renderMarkdown(text, () => null).headings.map(({ id }) => id))
  const below = documentOf(page, text).sections.filter(({ level }) => level > 1)
  expect(below.map(({ anchor }) => anchor).filter((anchor) => !ids.has(anchor))).toEqual([])
})

it('leads from a hit to the section that was found', async () => {
  const app = await start()
  await furnishOlder(app.ctx)
  const { cookie } = await app.person('admin')
  const html = await (await app.call('GET', '/admin/w/main/repos?q=remove+the+server', { cookie })).text()
  expect(html).toContain('href="/docs/documents#remove-the-server"')
})
