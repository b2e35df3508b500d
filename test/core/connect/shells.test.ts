import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { command, commandWithVariable, quoted } from '../../../src/core/connect/shells.ts'

const HOSTILE = [
  '',
  ' ',
  "it's",
  '"quoted"',
  '$(touch /tmp/owned)',
  '`id`',
  '$HOME ${PATH} %PATH% !!',
  'two\nlines',
  'bell\u0007 and \u0003 and \u001b[2J and \u0085',
  'back\\slash\\',
  'ends with \\"',
  '-rf',
  '; rm -rf / & echo | cat > x',
  '🔑 clé “smart” ‘quotes’',
  '*',
  '~',
  '#no comment',
  '{a,b}',
  'a'.repeat(100),
  '1e5',
  '@args',
]

/** What bash makes of a line: the words that a program would be given. */
function wordsInBash(line: string): string[] {
  const { stdout, status } = spawnSync('bash', ['--noprofile', '--norc', '-c', `printf '%s\\0' ${line}`], {
    env: { PATH: process.env.PATH },
  })
  expect(status).toBe(0)
  return stdout.toString('utf8').split('\0').slice(0, -1)
}

describe('a word for bash', () => {
  it.each(HOSTILE)('arrives as it is: %j', (word) => {
    expect(wordsInBash(`x ${quoted('posix', word)}`)).toEqual(['x', word])
  })

  it('arrives as it is, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(anyWord(), { minLength: 20, maxLength: 60 }), (words) => {
        expect(wordsInBash(words.map((word) => quoted('posix', word)).join(' '))).toEqual(words)
      }),
      { numRuns: 20 },
    )
  })

  it('holds nothing that could drive the terminal it is pasted into', () => {
    fc.assert(
      fc.property(anyWord(), (word) => {
        expect(quoted('posix', word)).not.toMatch(/\p{Cc}/u)
      }),
    )
  })
})

describe('a word for PowerShell', () => {
  it.each(HOSTILE)('arrives as it is, or is not said: %j', (word) => {
    expectArrival('powershell', word)
  })

  it('arrives as it is, or is not said, whatever it is', () => {
    fc.assert(fc.property(anyWord(), (word) => expectArrival('powershell', word)))
  })
})

describe('a word for the Command Prompt', () => {
  it.each(HOSTILE)('arrives as it is, or is not said: %j', (word) => {
    expectArrival('cmd', word)
  })

  it('arrives as it is, or is not said, whatever it is', () => {
    fc.assert(fc.property(anyWord(), (word) => expectArrival('cmd', word)))
  })

  it('never says what a batch file would read a second time', () => {
    fc.assert(
      fc.property(anyWord(), (word) => {
        expect(quoted('cmd', word) ?? '').not.toMatch(/[&|<>^%!\r\n]/)
      }),
    )
  })
})

function anyWord(): fc.Arbitrary<string> {
  const nasty = fc.constantFrom(...'\'"`$\\%!^&|<>();{}[]*?~#@=, \t\n\r\u0003\u001b’‘€🔑é-aZ0')
  return fc.oneof(
    fc.array(nasty, { maxLength: 30 }).map((signs) => signs.join('')),
    fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !text.includes('\0')),
  )
}

/** By the rules that the shells' manuals give for what stands between quotes. */
function expectArrival(shell: 'powershell' | 'cmd', word: string): void {
  const said = quoted(shell, word)
  if (said === null) {
    expect(word).toMatch(shell === 'cmd' ? /[\p{Cc}&|<>^%!()]/u : /\p{Cc}/u)
    return
  }
  expect(said).not.toMatch(/[\r\n]/)
  const handedOn = shell === 'powershell' ? afterPowerShell(said) : said
  expect(argumentIn(handedOn)).toBe(word)
}

/** Single quotes keep everything but themselves, of which PowerShell knows four; a program from npm gets the rest in double quotes. */
function afterPowerShell(said: string): string {
  if (!said.startsWith("'")) return said
  const inner = said.slice(1, -1)
  expect(inner.replace(/(['‘’‚‛])\1/g, '')).not.toMatch(/['‘’‚‛]/)
  return `"${inner.replace(/(['‘’‚‛])\1/g, '$1')}"`
}

/** One argument as the C runtime of Windows reads it: backslashes count only before a double quote. */
function argumentIn(said: string): string {
  let argument = ''
  let within = false
  for (let at = 0; at < said.length; ) {
    const slashes = /^\\*/.exec(said.slice(at))![0].length
    const quote = said[at + slashes] === '"'
    argument += '\\'.repeat(quote ? Math.floor(slashes / 2) : slashes)
    at += slashes
    if (!quote) {
      if (at < said.length) {
        if (said[at] === ' ') expect(within).toBe(true)
        argument += said[at++]
      }
    } else if (slashes % 2 === 1) {
      argument += '"'
      at++
    } else {
      within = !within
      at++
    }
  }
  expect(within).toBe(false)
  return argument
}

describe('a command', () => {
  const target = { name: 'docs', url: 'https://keys.example.com/mcp', key: 'clv_live_Ab3', variable: 'CLAVIGER_KEY' }

  it('is one line for every shell where nothing in it is special', () => {
    const words = ['claude', '--header', `Authorization: Bearer ${target.key}`, 'https://keys.example.com:8484/mcp']
    expect(command(words, { title: 'Command' })).toEqual([
      {
        title: 'Command',
        content: 'claude --header "Authorization: Bearer clv_live_Ab3" https://keys.example.com:8484/mcp',
      },
    ])
  })

  it('is one for each shell that can say it where something is', () => {
    const titles = (word: string) => command(['x', word], { title: 'Command' }).map(({ title }) => title)
    expect(titles('$HOME')).toEqual([
      'Command, macOS, Linux',
      'Command, Windows PowerShell',
      'Command, Windows Command Prompt',
    ])
    expect(titles('50%')).toEqual(['Command, macOS, Linux', 'Command, Windows PowerShell'])
    expect(titles('a\nb')).toEqual(['Command, macOS, Linux'])
  })

  it.each([...HOSTILE, 'clv_live_Ab3'])('finds the key in its variable: %j', (key) => {
    const [first] = commandWithVariable({ ...target, key }, ['printenv', 'CLAVIGER_KEY'], { title: 'Command' })
    expect(first!.title).toBe('Command, macOS, Linux')
    const { stdout } = spawnSync('bash', ['-c', first!.content], { env: { PATH: process.env.PATH } })
    expect(stdout.toString()).toBe(`${key}\n`)
  })

  it('sets the variable in the words of each shell', () => {
    const all = commandWithVariable(target, ['codex'], { title: 'Command' })
    expect(all.map(({ content }) => content)).toEqual([
      "export CLAVIGER_KEY='clv_live_Ab3'\ncodex",
      "$env:CLAVIGER_KEY = 'clv_live_Ab3'\ncodex",
      'set "CLAVIGER_KEY=clv_live_Ab3"\ncodex',
    ])
  })
})
