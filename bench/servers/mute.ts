import { ready } from './ready.ts'

/** Dead in the worst way: it takes every connection and never says a word. */
const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })

ready({ url: `http://127.0.0.1:${listener.port}/mcp` })
