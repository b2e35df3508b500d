import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export type Seen = {
  method: string
  path: string
  headers: Headers
  text: string
  message: { id?: number; method?: string }
}

/** An HTTP server for one test, which keeps all that it was asked. */
export function serve(answer: (seen: Seen, request: Request) => Response | Promise<Response>) {
  const seen: Seen[] = []
  const http = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const text = await request.text()
      const { pathname } = new URL(request.url)
      const message = text === '' ? {} : JSON.parse(text)
      const one = { method: request.method, path: pathname, headers: request.headers, text, message }
      seen.push(one)
      return answer(one, request)
    },
  })
  onTestFinished(() => http.stop(true))
  return { url: `http://127.0.0.1:${http.port}/mcp`, origin: `http://127.0.0.1:${http.port}`, port: http.port!, seen }
}

/** The same, with a hand on each byte: for answers that no HTTP library would give. */
export async function serveRaw(answer: (head: string, body: string, socket: Socket) => void) {
  const sockets = new Set<Socket>()
  let asked = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      text += piece.toString()
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      const head = text.slice(0, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (text.length < end + 4 + length) return
      const body = text.slice(end + 4, end + 4 + length)
      text = ''
      asked++
      answer(head, body, socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}/mcp`, port, asked: () => asked }
}

export const result = (id: unknown, value: object = {}) => ({ jsonrpc: '2.0', id, result: value })
export const answered = (id: unknown, value?: object) => Response.json(result(id, value))

export function eventStream(start: (say: (text: string) => void, end: () => void) => void, headers = {}): Response {
  const body = new ReadableStream({
    start(controller) {
      start(
        (text) => controller.enqueue(new TextEncoder().encode(text)),
        () => controller.close(),
      )
    },
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream', ...headers } })
}

/** Something a test waits for that another side brings about. */
export function signalled<T = void>() {
  return Promise.withResolvers<T>()
}
