import type { ReadStream } from 'node:tty'
import { UsageError } from './command.ts'

const ENTER = ['\r', '\n', '\u0004']
const RUB_OUT = ['\u007f', '\b']
const INTERRUPT = '\u0003'
const CLEAR_LINE = '\u0015'

/** Asks on a terminal without showing what is typed. Raw mode hands over each key, so ours is the editing too. */
export function askUnseen(question: string, stdin: ReadStream, write: (text: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = ''
    const finish = (end: () => void) => {
      stdin.off('data', hear)
      stdin.setRawMode(false)
      stdin.pause()
      write('\n')
      end()
    }
    const hear = (chunk: string) => {
      if (chunk.startsWith('\u001b')) return // an arrow or another key that types nothing
      for (const sign of chunk) {
        if (ENTER.includes(sign)) return finish(() => resolve(typed))
        if (sign === INTERRUPT) return finish(() => reject(new UsageError('Interrupted. Nothing was changed.')))
        if (sign === CLEAR_LINE) typed = ''
        else if (RUB_OUT.includes(sign)) typed = [...typed].slice(0, -1).join('')
        else if (sign >= ' ') typed += sign
      }
    }
    stdin.setEncoding('utf8')
    stdin.setRawMode(true) // before anything is asked: what is typed at once is hidden too
    stdin.on('data', hear)
    stdin.resume()
    write(question)
  })
}
