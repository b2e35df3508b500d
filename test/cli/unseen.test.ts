import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { ReadStream } from 'node:tty'
import { describe, expect, it } from 'vitest'
import { askUnseen } from '../../src/cli/terminal.ts'
import { PASSWORD, terminal } from './terminal.ts'

function keyboard() {
  const raw: boolean[] = []
  const stdin = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => void raw.push(on) })
  let shown = ''
  const answer = askUnseen('Password: ', stdin as unknown as ReadStream, (text) => {
    shown += text
  })
  return { answer, type: (keys: string) => stdin.write(keys), shown: () => shown, raw }
}

describe('a question for a secret', () => {
  it('shows nothing of the answer, and leaves the terminal as it was', async () => {
    const { answer, type, shown, raw } = keyboard()
    type('zébra')
    type('-41\r')
    expect(await answer).toBe('zébra-41')
    expect(shown()).toBe('Password: \n')
    expect(raw).toEqual([true, false])
  })

  it.each([
    ['abc\u007f\u007fd\r', 'ad'],
    ['a🗝\bb\n', 'ab'],
    ['wrong\u0015right\r', 'right'],
    ['tab\tbell\u0007\r', 'tabbell'],
    ['\r', ''],
    ['end\u0004', 'end'],
  ])('takes %j as %j', async (keys, text) => {
    const { answer, type } = keyboard()
    type(keys)
    expect(await answer).toBe(text)
  })

  it('ignores arrows', async () => {
    const { answer, type } = keyboard()
    type('a')
    await new Promise(setImmediate)
    type('\u001b[D')
    await new Promise(setImmediate)
    type('b\r')
    expect(await answer).toBe('ab')
  })

  it('ends at Ctrl-C, and restores the terminal', async () => {
    const { answer, type, raw } = keyboard()
    type('abc\u0003')
    await expect(answer).rejects.toThrow('Interrupted')
    expect(raw).toEqual([true, false])
  })
})

it('asks on a real terminal, unseen', async () => {
  const { dataDir, json } = terminal()
  let screen = ''
  let answered = 0
  const decoder = new TextDecoder()
  const pty = new Bun.Terminal({
    data(pty, bytes) {
      screen += decoder.decode(bytes, { stream: true })
      const asked = screen.split(/Password: |Once more: /).length - 1
      for (; answered < asked; answered++) pty.write(`${PASSWORD}\r`)
    },
  })
  const main = join(import.meta.dirname, '../../src/main.ts')
  const argv = [process.execPath, '--no-env-file', main, 'users', 'create', 'bo@example.com', '--data-dir', dataDir]
  const child = Bun.spawn(argv, { terminal: pty, env: { PATH: process.env.PATH ?? '' } })
  expect(await child.exited, screen).toBe(0)
  pty.close()
  expect(screen).toContain('bo@example.com has an account')
  expect(screen).not.toContain(PASSWORD)
  expect(await json('users', 'list')).toMatchObject([{ email: 'bo@example.com' }])
})
