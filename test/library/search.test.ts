import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openIndex } from '../../src/docs/file.ts'
import { find as findIn } from '../../src/docs/find.ts'
import { shelfIn } from '../../src/docs/shelf.ts'
import { snippetOf } from '../../src/docs/snippet.ts'
import { over, write } from './support.ts'

describe('search', () => {
  it('puts a section whose heading is asked for first', async () => {
    const { find } = await over({
      'a.md': '# Keys\n\nRotate, rotate and rotate again: a key is mentioned here.\n\n## Delete\n\nA key is gone.\n',
      'b.md': '# Guide\n\nIntro.\n\n## Rotate a key\n\nPress the button.\n',
    })
    expect((await find('how do I rotate a key'))[0]).toMatchObject({
      path: 'b.md',
      title: 'Guide',
      heading: 'Rotate a key',
      snippet: 'Press the button.',
    })
  })

  it.each([
    ['the forms of a word', 'rotating keys', 'A key can be rotated.'],
    ['the beginning of the last word', 'environm', 'Set the environment.'],
    ['a slip of the pen', 'enviroment variabel', 'Set the environment variable.'],
    ['two signs in the wrong order', 'kye', 'Every key is secret.'],
    ['a part of an identifier', 'user name', 'Call getUserName() first.'],
    ['an identifier from its parts', 'getUserName', 'Call get_user_name() first.'],
    ['an identifier in small letters', 'getusername', 'Call getUserName() first.'],
    ['a part of a snake', 'docs_roots', 'Set CLAVIGER_DOCS_ROOTS to a folder.'],
    ['a dotted name', 'mcp.tool_changed', 'The event mcp.tool_changed is sent.'],
    ['letters without their accents', 'uberblick cafe', 'Ein Überblick über das Café.'],
    ['accents that were not written', 'Überblick', 'Ein Uberblick.'],
    ['a word in writing without spaces', '環境変数', 'これは環境変数の設定です。'],
    ['a word inside a longer row of signs', '变量', '请设置环境变量然后重启'],
  ])('finds %s', async (_what, query, text) => {
    const { paths } = await over({ 'it.md': text, 'other.md': 'Nothing of the kind stands in this one, only cheese.' })
    expect(await paths(query)).toEqual(['it.md'])
  })

  it('has a quoted phrase word for word', async () => {
    const { paths } = await over({
      'apart.md': 'The limit of one minute is a rate. Another rate has no limit.',
      'together.md': 'There is a rate limit.',
    })
    expect(await paths('"rate limit"')).toEqual(['together.md'])
    expect((await paths('rate limit')).sort()).toEqual(['apart.md', 'together.md'])
    expect(await paths('"limit rate"')).toEqual([])
  })

  it('prefers sections that hold all words, and still shows those with some', async () => {
    const { paths } = await over({
      'some.md': 'Bread, bread, bread, bread and more bread.',
      'all.md': 'How to bake bread at home.',
    })
    expect(await paths('bake bread')).toEqual(['all.md', 'some.md'])
  })

  it('names a document three times at most', async () => {
    const sections = Array.from({ length: 9 }, (_, at) => `## Part ${at}\n\nA zebra.\n`).join('\n')
    const { paths } = await over({ 'many.md': `# Zebras\n\n${sections}`, 'one.md': 'A zebra too.' })
    expect((await paths('zebra')).filter((path) => path === 'many.md')).toHaveLength(3)
    expect(await paths('zebra')).toContain('one.md')
  })

  it('cuts a snippet around what was asked for', async () => {
    const { find } = await over({
      'long.md': `${'Padding here. '.repeat(200)}The walrus sings. ${'More padding. '.repeat(200)}`,
    })
    const [hit] = await find('walrus')
    expect(hit!.snippet).toMatch(/^… .*The walrus sings\..* …$/)
    expect(hit!.snippet.length).toBeLessThan(300)
  })

  it.each([' ', '\t|', '- ', 'walrus '])(
    'cuts a snippet of nothing but %j in the time that its length takes',
    (one) => {
      const text = `A walrus ${one.repeat(1_000_000 / one.length)}x`
      expect(snippetOf(text, [{ ways: [['walru']], weight: 1 }])).toMatch(/^A walrus/)
    },
  )

  it('finds nothing for nothing', async () => {
    const { find } = await over({ 'a.md': 'Some text.' })
    for (const query of ['', '   ', '"', '()', '""', '***', '\u0000', '#'.repeat(5000)])
      expect(await find(query)).toEqual([])
  })

  it('finds a slip also where a word that is gone was nearer to it', async () => {
    const { path, paths, refresh } = await over({
      'a.md': 'Here lives a girafe.',
      'b.md': 'A lion.',
      'c.md': 'A bear.',
      'd.md': 'A wolf.',
      'e.md': 'A fox.',
    })
    write(path, { 'a.md': 'Here lives a giraffe.' })
    await refresh()
    expect(await paths('girafe lives')).toEqual(['a.md'])
    expect(await paths('girafe')).toEqual(['a.md'])
  })

  it('compares few words with those it does not know, however many are asked and held', () => {
    let compared = 0
    const wordsOfLength = (start: string, _least: number, _most: number, atMost: number) => {
      const some = Array.from({ length: Math.min(atMost, 400_000) }, () => `${start}something`)
      compared += some.length
      return some
    }
    const shelves = ['one', 'two', 'three'].map((name) => ({
      shelf: { ...shelfIn(openIndex(':memory:', console), name), wordsOfLength },
      repo: name,
      isThere: () => true,
    }))
    const unknown = Array.from({ length: 24 }, (_, at) => `${String.fromCharCode(97 + at)}qwertzu`)
    expect(findIn(shelves, unknown.join(' '), 10)).toEqual([])
    expect(compared).toBeGreaterThan(0)
    expect(compared).toBeLessThanOrEqual(90_000)
  })

  it('takes any query at all', async () => {
    const { find } = await over({
      'a.md': 'A key AND a lock, NOT near "quotes" OR {braces}: col:umn ^caret + - * ( ).',
    })
    const word = fc.oneof(
      fc.constantFrom(
        'key',
        'AND',
        'OR',
        'NOT',
        'NEAR(',
        '"',
        '“',
        ')',
        '(',
        '*',
        '^',
        '+',
        '-',
        ':',
        'title:',
        '{a b}:',
        "'",
        '--',
        ';',
      ),
      fc.string({ unit: 'binary' }),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 12 }), fc.constantFrom(' ', '', '\n'), async (words, between) => {
        const hits = await find(words.join(between))
        for (const { path, score } of hits) {
          expect(path).toBe('a.md')
          expect(score).toBeGreaterThanOrEqual(0)
        }
      }),
      { numRuns: 500 },
    )
  })
})
