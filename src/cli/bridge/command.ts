import { scrub } from '../../core/scrub.ts'
import { linesOf } from '../../upstreams/lines.ts'
import { type Command, type Input, UsageError } from '../command.ts'
import { remark } from '../print.ts'
import { type Line, lineTo } from './line.ts'
import { idIn } from './message.ts'
import { LIMIT_BYTES } from './wire.ts'

export const bridgeCommands: Command[] = [
  {
    name: 'bridge',
    args: 'URL',
    about: 'For clients that only start programs: MCP on standard input and output here, HTTP to a Claviger there.',
    notes: [
      'URL is that of the MCP endpoint, such as https://keys.example.com/mcp or …/mcp/docs. The key is read from the',
      'variable CLAVIGER_KEY: an argument would stand in the process list.',
      '  {"command": "claviger", "args": ["bridge", "https://keys.example.com/mcp"], "env": {"CLAVIGER_KEY": "…"}}',
    ],
    run: bridge,
  },
]

async function bridge(input: Input): Promise<number> {
  const { world } = input
  const key = world.env.CLAVIGER_KEY?.trim()
  const url = endpointIn(input.args[0]!)
  if (!key) throw new UsageError('Set the variable CLAVIGER_KEY to the key that this client shall use.')
  const line = lineTo(url, key, {
    write: (text) => world.out(`${text}\n`),
    warn: (sentence) => remark(world, sentence),
  })
  const stopped = new Promise<void>((resolve) => world.onStop(resolve))
  await readLines(line, stopped)
  return (await line.end(stopped)) ? 0 : 1
}

function endpointIn(typed: string): string {
  const url = URL.parse(typed)
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError('URL is that of an MCP endpoint, such as https://keys.example.com/mcp')
  if (scrub(typed) !== typed || scrub(url.href) !== url.href || url.username)
    throw new UsageError('Leave the key out of the URL, which the process list shows. Put it into CLAVIGER_KEY.')
  if (url.pathname === '/') url.pathname = '/mcp'
  return url.href
}

async function readLines({ hear, refuse }: Line, stopped: Promise<void>): Promise<void> {
  const cut = linesOf(LIMIT_BYTES, {
    line: (text) => void (text.trim() === '' || hear(text)),
    tooLong: (start, end) => refuse(idIn(start, end), `This message is larger than ${LIMIT_BYTES} bytes.`),
  })
  const reader = Bun.stdin.stream().getReader()
  void stopped.then(() => reader.cancel()) // an input that is still read keeps the process alive
  for (let read = await reader.read(); !read.done; read = await reader.read()) cut(Buffer.from(read.value))
}
