import type { Message } from './echo.ts'
import { ready } from './ready.ts'

/** The ceiling in front of a stdio upstream: one child for all, ids rewritten, nothing asked, nothing noted. */
const child = Bun.spawn(process.argv.slice(2), { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
const waiting = new Map<number, { callerId: unknown; resolve: (text: string) => void }>()
const OWN_ID = /^\{"jsonrpc":"2\.0","id":(\d+),/
let lastId = 0
let scheduled = false

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    if (request.method !== 'POST') return new Response(null, { status: 405 })
    const message = (await request.json()) as Message
    const callerId: unknown = message.id
    if (callerId === undefined) {
      write(message)
      return new Response(null, { status: 202 })
    }
    const id = ++lastId
    message.id = id
    const answered = new Promise<string>((resolve) => waiting.set(id, { callerId, resolve }))
    write(message)
    return new Response(await answered, { headers: { 'Content-Type': 'application/json' } })
  },
})

/** What comes in the same turn goes in the same write. */
function write(message: object): void {
  child.stdin.write(`${JSON.stringify(message)}\n`)
  if (scheduled) return
  scheduled = true
  setImmediate(() => {
    scheduled = false
    child.stdin.flush()
  })
}

function hear(line: string): void {
  const match = OWN_ID.exec(line)
  const call = match && waiting.get(Number(match[1]))
  if (!call) return
  waiting.delete(Number(match[1]))
  call.resolve(`{"jsonrpc":"2.0","id":${JSON.stringify(call.callerId)},${line.slice(match[0].length)}`)
}

ready({ url: `http://127.0.0.1:${server.port}/mcp` })

const decoder = new TextDecoder()
let rest = ''
for await (const chunk of child.stdout) {
  const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
  rest = lines.pop()!
  for (const line of lines) hear(line)
}
