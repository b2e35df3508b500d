import { connect } from 'node:net'

export type RawAnswer = { status: number; headers: Headers; body: string; text: string }

/** Sends bytes as they are, for what no client would send, and reads until the server hangs up. */
export function sendRaw(origin: string, text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (piece: string) => {
      answer += piece
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(parsed(answer)))
  })
}

/** A request of lines; asks for the connection to be closed after the answer. */
export function request(first: string, ...headers: string[]): string {
  return [first, ...headers, 'Connection: close', '', ''].join('\r\n')
}

function parsed(text: string): RawAnswer {
  const [head = '', body = ''] = text.split(/\r\n\r\n([\s\S]*)/)
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return {
    status: Number(first.split(' ')[1] ?? 0),
    headers,
    body: headers.get('transfer-encoding') ? unchunked(body) : body,
    text,
  }
}

function unchunked(body: string): string {
  let [rest, whole] = [body, '']
  for (;;) {
    const size = Number.parseInt(rest, 16)
    if (!size) return whole
    const start = rest.indexOf('\r\n') + 2
    whole += rest.slice(start, start + size)
    rest = rest.slice(start + size + 2)
  }
}
