import { connect, createServer, type Socket } from 'node:net'

/** Lets bytes through both ways untouched and remembers them: which protocol version is spoken, and what was answered. */
export async function startTee(port: number) {
  const sockets = new Set<Socket>()
  const sent: Buffer[] = []
  const answered: Buffer[] = []
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.on('data', (bytes: Buffer) => void sent.push(bytes))
    upstream.on('data', (bytes: Buffer) => void answered.push(bytes))
    client.pipe(upstream).pipe(client)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {}) // its close says the same
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as { port: number }

  return {
    origin: `http://127.0.0.1:${address.port}`,
    answers: () => Buffer.concat(answered).toString('latin1'),
    /** The revisions that requests named, in the order of their first appearance; else the one a handshake wished for. */
    versions: () => {
      const text = Buffer.concat(sent).toString('latin1')
      const inHeaders = [...text.matchAll(/^mcp-protocol-version: *(\S+)\r$/gim)]
      const named = inHeaders.length > 0 ? inHeaders : [...text.matchAll(/"protocolVersion":"([\d-]+)"/g)]
      return [...new Set(named.map(([, version]) => version!))]
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
