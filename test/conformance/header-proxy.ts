const HOP_BY_HOP = ['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade']

/** Passes everything on to `target` and back as it streams, with these headers added: the suites can send none. */
export function startHeaderProxy({ target, headers }: { target: string; headers: Record<string, string> }) {
  const { origin, pathname } = new URL(target)

  const proxy = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0, // streams may be quiet for longer than Bun's 10 s
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const answer = await fetch(origin + pathname + search, {
        method: request.method,
        headers: { ...passedOn(request.headers), ...headers },
        body: request.body,
        signal: request.signal, // a hang-up here is one there
        redirect: 'manual',
        decompress: false,
      })
      return new Response(answer.body, { status: answer.status, headers: passedOn(answer.headers) })
    },
  })

  return { url: `http://127.0.0.1:${proxy.port}${pathname}`, close: () => proxy.stop(true) }
}

/** Host stays as the caller wrote it, for the scenario about forged ones. */
function passedOn(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !HOP_BY_HOP.includes(name)))
}
