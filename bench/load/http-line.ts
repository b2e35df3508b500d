import type { Socket } from 'bun'

export type Answer = { status: number; head: string; body: string }

export type HttpLine = {
  /** One request at a time; the answer comes whole. */
  send(request: string, heard: (answer: Answer) => void): void
  close(): void
}

/** One keep-alive connection with just enough HTTP to tell where an answer ends: far cheaper than `fetch`. */
export async function httpLine(host: string, port: number, broken: (why: string) => void): Promise<HttpLine> {
  let held = ''
  let waiting: ((answer: Answer) => void) | null = null
  let unsent = ''
  let closed = false

  function hear(chunk: Buffer): void {
    held = held === '' ? chunk.toString('latin1') : held + chunk.toString('latin1')
    const answer = wholeAnswer(held)
    if (!answer) return
    const heard = waiting
    held = ''
    waiting = null
    if (heard) heard(answer)
    else broken(`an answer to nothing: ${answer.body.slice(0, 200)}`)
  }

  function push(socket: Socket, text: string): void {
    const wrote = socket.write(text) // ASCII: characters are bytes
    unsent = wrote < text.length ? text.slice(Math.max(wrote, 0)) : ''
  }

  function gone(why: string): void {
    if (!closed) broken(why)
    closed = true
  }

  const socket = await Bun.connect({
    hostname: host,
    port,
    socket: {
      data: (_socket, chunk) => hear(chunk),
      drain(socket) {
        if (unsent !== '') push(socket, unsent)
      },
      close: () => gone('the connection was closed'),
      error: (_socket, error) => gone(error.message),
    },
  })
  socket.setNoDelay(true)

  return {
    send(request, heard) {
      waiting = heard
      push(socket, request)
    },
    close() {
      closed = true
      socket.end()
    },
  }
}

const LENGTH = /\r\ncontent-length: *(\d+)/i
const CHUNKED = /\r\ntransfer-encoding: *chunked/i

/** Null until all of it is there. Characters are bytes here (latin1), so lengths hold. */
function wholeAnswer(text: string): Answer | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = text.slice(0, end)
  const status = Number(head.slice(9, 12))
  const bodyStart = end + 4
  const length = LENGTH.exec(head)
  if (length) return text.length - bodyStart >= Number(length[1]) ? { status, head, body: text.slice(bodyStart) } : null
  if (CHUNKED.test(head)) {
    const body = dechunked(text, bodyStart)
    return body === null ? null : { status, head, body }
  }
  return { status, head, body: '' }
}

function dechunked(text: string, start: number): string | null {
  let body = ''
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const chunkStart = lineEnd + 2
    if (text.length < chunkStart + size + 2) return null
    if (size === 0) return body
    body += text.slice(chunkStart, chunkStart + size)
    at = chunkStart + size + 2
  }
}
