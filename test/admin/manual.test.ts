import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderMarkdown } from '../../src/admin/markdown.ts'
import { start } from '../support/start.ts'

const folder = join(import.meta.dirname, '../../docs')
const pages = globSync('*.md', { cwd: folder }).map((name) => name.replace(/\.md$/, ''))

describe('the manual', () => {
  it('is there for everybody, before there is an owner too', async () => {
    const { get } = await start({ setUp: false })
    expect((await get('/docs')).headers.get('location')).toBe('/docs/quick-start')
    for (const page of pages) {
      const answer = await get(`/docs/${page}`)
      expect([page, answer.status]).toEqual([page, 200])
      const html = await answer.text()
      const [title] = /(?<=^# ).+/m.exec(readFileSync(join(folder, `${page}.md`), 'utf8'))!
      expect(html).toContain(`<h1>${title}</h1>`)
      for (const other of pages) expect(html).toContain(`href="/docs/${other}"`)
    }
  })

  it('has a place for every link within it', async () => {
    const { get } = await start()
    const html = new Map<string, string>()
    for (const page of pages) html.set(page, await (await get(`/docs/${page}`)).text())
    for (const [page, text] of html)
      for (const [, target, id] of text.matchAll(/href="(?:\/docs\/([\w-]+))?#([^"]+)"/g)) {
        const where = html.get(target ?? page)
        expect([page, target, id, where?.includes(` id="${id}"`)]).toEqual([page, target, id, true])
      }
  })

  it('leads on from the file that a page is kept in, and says where it begins if there is none', async () => {
    const { get } = await start()
    expect((await get('/docs/keys.md')).headers.get('location')).toBe('/docs/keys')
    for (const odd of ['/docs/nowhere', '/docs/..%2fREADME', '/docs/decisions%2f0001-hmac-not-argon2-for-keys'])
      expect([odd, (await get(odd)).status]).toEqual([odd, 404])
  })
})

describe('Markdown', () => {
  const html = (text: string) => renderMarkdown(text, (page) => (page === 'keys' ? '/docs/keys' : null)).html

  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;'],
    ['a <b onclick="x()">word</b>', '&lt;b onclick='],
    ['[click](javascript:alert%281%29)', '<p>click</p>'],
    ['[click](data:text/html,x)', '<p>click</p>'],
    ['[click](//elsewhere.example)', '<p>click</p>'],
    ['![<img src=x>](https://elsewhere.example/pixel.png)', '&lt;img'],
    ['`<i>` & "quotes"', '<code>&lt;i&gt;</code> &amp; &quot;quotes&quot;'],
    ['```\n"><script>\n```', 'data-copy="&quot;&gt;&lt;script&gt;"'],
    ['[out](../README.md)', '<p>out</p>'],
    ['[keys](keys.md#rotate-a-key)', '<a href="/docs/keys#rotate-a-key">keys</a>'],
    ['[web](https://a.example/?a=1&b="2")', 'href="https://a.example/?a=1&amp;b='],
  ])('%s', (markdown, expected) => {
    const said = html(markdown)
    expect(said).toContain(expected)
    expect(said).not.toMatch(/<(?:script|img|b|i)\b|javascript:|data:text/)
  })

  it('gives headings of the same words places of their own', () => {
    const { headings, title } = renderMarkdown('# The *page*\n\n## Rotate a `key`\n\n## Rotate a key\n', () => null)
    expect(title).toBe('The page')
    expect(headings.map(({ id, text }) => [id, text])).toEqual([
      ['rotate-a-key', 'Rotate a key'],
      ['rotate-a-key-1', 'Rotate a key'],
    ])
  })
})

it('is where a page of refusal leads, to the code that was said', async () => {
  const { get } = await start()
  const refused = await (await get('/admin/invitations/nothing')).text()
  const [, code] = /href="\/docs\/troubleshooting#(\w+)"/.exec(refused)!
  expect(await (await get('/docs/troubleshooting')).text()).toContain(`id="${code}"`)
})
