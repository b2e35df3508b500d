import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { COMMON, type Command } from '../src/cli/command.ts'
import { COMMANDS } from '../src/cli/run.ts'
import { CODES } from '../src/core/refusal.ts'
import { STATUS } from '../src/http/refusals.ts'

const root = join(import.meta.dirname, '..')
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).map((page) => page.replaceAll('\\', '/'))]

it('explains every code of a refusal, under its own heading and with its status', () => {
  const sections = [...read('docs/troubleshooting.md').matchAll(/^### (\w+)\n\n(\d{3})\. /gm)]
  const told = Object.fromEntries(sections.map(([, code, status]) => [code, Number(status)]))
  expect(told).toEqual(Object.fromEntries(CODES.map((code) => [code, STATUS[code]])))
})

it.each(pages)('%s leads to nothing that is missing', (page) => {
  const missing = linksIn(page).filter(({ file, anchor }) => !leadsSomewhere(file, anchor))
  expect(missing).toEqual([])
})

const lines = pages.flatMap((page) => commandLinesIn(page).map((line) => ({ page, line })))

it('finds the command lines of the manual', () => {
  expect(lines.map(({ line }) => line)).toContain('claviger keys create --name laptop --expires 90d')
})

it.each(lines)('$page: $line', ({ line }) => {
  expect(mistakeIn(line)).toBeNull()
})

it.each([
  ['claviger keys make --name laptop', '"keys make" is no command'],
  ['claviger keys create --nam laptop', '--nam is no option of keys create'],
  ['claviger keys create --name', '--name of keys create needs a value'],
  ['claviger keys create --env test', 'keys create needs --name'],
  ['claviger keys revoke', 'keys revoke takes KEY'],
  ['claviger keys revoke one two', 'keys revoke takes KEY'],
])('would find the mistake in: %s', (line, mistake) => {
  expect(mistakeIn(line)).toBe(mistake)
})

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** Only what leads to a file of ours; what stands in code is no link. */
function linksIn(page: string): { file: string; anchor: string | null }[] {
  const prose = read(page)
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`\n]*`/g, '`')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file, anchor] = target.split('#')
      return { file: file ? relative(root, join(root, dirname(page), file)) : page, anchor: anchor ?? null }
    })
}

function leadsSomewhere(file: string, anchor: string | null): boolean {
  return existsSync(join(root, file)) && (anchor === null || anchorsOf(file).includes(anchor))
}

/** As GitHub makes them of headings. */
function anchorsOf(file: string): string[] {
  const headings = read(file)
    .replace(/^```.*?^```/gms, '')
    .matchAll(/^#{1,6} (.+)$/gm)
  return [...headings].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Every `claviger …` in a shell block: at the beginning of a line, behind a pipe or in `$(…)`. */
function commandLinesIn(page: string): string[] {
  return [...read(page).matchAll(/^```sh\n(.*?)^```/gms)]
    .flatMap(([, block]) => block!.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => /(?:^|\| |\$\()(claviger .*?)\)?$/.exec(line)?.[1] ?? [])
}

function mistakeIn(line: string): string | null {
  const [, ...words] = wordsOf(line)
  const command = commandFor(words)
  if (!command) return `"${words.slice(0, 2).join(' ')}" is no command`
  const options = { ...COMMON, ...command.options }
  const given: string[] = []
  const rest = words.slice(command.name.split(' ').length)
  let args = 0
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') args += rest.splice(0).length
    else if (!word.startsWith('--')) args++
    else {
      const [name, value] = word.slice(2).split('=', 2) as [string, string?]
      const option = options[name]
      if (!option) return `--${name} is no option of ${command.name}`
      if (option.value && value === undefined && rest.shift() === undefined)
        return `--${name} of ${command.name} needs a value`
      given.push(name)
    }
  }
  const missing = Object.keys(options).find((name) => options[name]!.needed && !given.includes(name))
  if (missing) return `${command.name} needs --${missing}`
  return takes(command, args) ? null : `${command.name} takes ${command.args ?? 'no arguments'}`
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/["']/g, ''))
}

function commandFor(words: string[]): Command | undefined {
  return COMMANDS.filter(({ name }) => `${words.join(' ')} `.startsWith(`${name} `)).sort(
    (a, b) => b.name.length - a.name.length,
  )[0]
}

/** `args` as help shows it: `NAME [FILE]`, `ID...`. */
function takes({ args = '' }: Command, count: number): boolean {
  const words = args.split(' ').filter(Boolean)
  const least = words.filter((word) => !word.startsWith('[')).length
  return count >= least && (args.includes('...') || count <= words.length)
}
