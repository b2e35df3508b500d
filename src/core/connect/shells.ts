import type { Target, Variant } from './variant.ts'

const SHELLS = ['posix', 'powershell', 'cmd'] as const
export type Shell = (typeof SHELLS)[number]

const CALLED: Record<Shell, string> = {
  posix: 'macOS, Linux',
  powershell: 'Windows PowerShell',
  cmd: 'Windows Command Prompt',
}

/** Means the same between double quotes in every one of them. */
const PLAIN = /^[A-Za-z0-9 _./:=@+,*?[\]-]*$/
const BARE = /^[A-Za-z_./-][A-Za-z0-9_./:-]*$/
const CONTROL = /\p{Cc}/u

/** A word of a command as this shell must be given it; null where the shell has no safe way to say it. */
export function quoted(shell: Shell, word: string): string | null {
  if (BARE.test(word)) return word
  if (PLAIN.test(word)) return `"${word}"`
  return { posix, powershell, cmd }[shell](word)
}

/** A control character could drive the terminal that it is pasted into, so it travels in writing. */
function posix(word: string): string {
  if (!CONTROL.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`
  const written = word
    .replace(/[\\']/g, '\\$&')
    .replace(/\p{Cc}/gu, (sign) =>
      [...Buffer.from(sign)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
    )
  return `$'${written}'`
}

/** PowerShell takes four signs for a single quote, and hands double quotes on to a .cmd only with backslashes. */
function powershell(word: string): string | null {
  if (CONTROL.test(word)) return null
  const escaped = word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, '$&$&')
  return `'${escaped.replace(/['‘’‚‛]/g, '$&$&')}'`
}

/** Programs from npm are batch files, which read their arguments a second time: only what means nothing then may pass. */
function cmd(word: string): string | null {
  if (CONTROL.test(word) || /[&|<>^%!()]/.test(word)) return null
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, '$&$&')}"`
}

/** One line for every shell where the words allow it, else one for each. */
export function command(words: string[], about: Omit<Variant, 'content'>): Variant[] {
  if (words.every((word) => PLAIN.test(word))) return [{ ...about, content: lineFor('posix', words)! }]
  return SHELLS.flatMap((shell) => variant(about, shell, lineFor(shell, words)))
}

/** The same after the key was put into a variable: a line of its own in each shell. */
export function commandWithVariable(
  { variable, key }: Target,
  words: string[],
  about: Omit<Variant, 'content'>,
): Variant[] {
  return SHELLS.flatMap((shell) => {
    const [setting, line] = [settingFor(shell, variable, key), lineFor(shell, words)]
    return variant(about, shell, setting && line && `${setting}\n${line}`)
  })
}

function variant(about: Omit<Variant, 'content'>, shell: Shell, content: string | null): Variant[] {
  return content === null ? [] : [{ ...about, title: `${about.title}, ${CALLED[shell]}`, content }]
}

function lineFor(shell: Shell, words: string[]): string | null {
  const said = words.map((word) => quoted(shell, word))
  return said.includes(null) ? null : said.join(' ')
}

function settingFor(shell: Shell, name: string, value: string): string | null {
  if (shell === 'cmd') return CONTROL.test(value) || /[&|<>^%!()"]/.test(value) ? null : `set "${name}=${value}"`
  const said = shell === 'posix' ? posix(value) : powershell(value)
  return said && (shell === 'posix' ? `export ${name}=${said}` : `$env:${name} = ${said}`)
}
