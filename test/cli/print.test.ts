import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { terminal } from './terminal.ts'

const HOSTILE = [
  ['an escape sequence', '\u001b[31mred\u001b]0;title\u0007'],
  ['a C1 control', '\u009b31m'],
  ['line ends', 'one\ntwo\r\u2028three\u0085'],
  ['a change of direction', '\u202egnp.exe\u2066'],
  ['half a character', 'a\ud800b'],
  ['quotes', `it's "quoted" \`and\` \\escaped\\`],
  ['a hundred keys', '🗝'.repeat(100)],
  ['wide letters', '漢字かな 👩‍💻 é'],
] as const

/** What a terminal could take for an order. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ORDERS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u

describe.each(HOSTILE)('a name with %s', (_what, name) => {
  it('drives no terminal, in tables, sentences or refusals', async () => {
    const { good, claviger } = terminal()
    await good('workspaces', 'create', name)
    const said = [await claviger('keys', 'create', '--name', name), await claviger('keys', 'create', '--name', name)]
    for (const argv of [
      ['keys', 'list'],
      ['keys', 'show', name],
      ['keys', 'list', '--json'],
      ['workspaces', 'list'],
      ['workspaces', 'delete', name],
      ['audit', 'list'],
      ['keys', 'show', `no ${name}`],
      ['workspaces', 'create', 'x'.repeat(101), name],
    ])
      said.push(await claviger(...argv))
    for (const { out, err } of said) {
      expect(out).not.toMatch(ORDERS)
      expect(err).not.toMatch(ORDERS)
      expect(err.split('\n').length).toBeLessThanOrEqual(2)
    }
  })
})

it('prints any name as JSON that reads back as it was', async () => {
  const { good, json } = terminal()
  await good('workspaces', 'create', 'Lab')
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 25 }).filter((text) => text.trim() === text)
  await fc.assert(
    fc.asyncProperty(name, async (name) => {
      const made = await json('keys', 'create', `--name=${name}`)
      expect(made.name).toBe(name)
      expect(await json('keys', 'show', made.id)).toMatchObject({ name })
    }),
    { numRuns: 15 },
  )
})

it('keeps columns straight whatever stands in them', async () => {
  const { good } = terminal()
  await good('workspaces', 'create', 'Lab')
  for (const name of ['plain', '漢字', '👩‍💻', 'e\u0301']) await good('keys', 'create', '--name', name)
  const rows = (await good('keys', 'list')).trimEnd().split('\n')
  const columns = rows.map((row) => Bun.stringWidth(row.slice(0, row.search(/ENV|live/))))
  expect(new Set(columns).size).toBe(1)
})
