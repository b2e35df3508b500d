import type { Client } from './client.ts'
import { type Answer, httpLine } from './http-line.ts'
import { faultOf, initialize, initialized, methodOf, requestWriter } from './messages.ts'
import type { Plan } from './plan.ts'

/** One MCP client on one connection: stateless in the new era, with a session of its own in the older one. */
export async function httpClient(
  plan: Plan & { via: { kind: 'http' } },
  index: number,
  broken: (why: string) => void,
): Promise<Client> {
  const { era, ask, via } = plan
  const url = new URL(via.url)
  const line = await httpLine(url.hostname, Number(url.port), broken)
  const always = headersOf(plan, url, via.keys[index % via.keys.length])
  const session = era === '2025-11-25' ? await beginSession() : null
  const own =
    session === null
      ? `MCP-Protocol-Version: ${era}\r\nMcp-Method: ${methodOf(ask)}\r\n${'tool' in ask ? `Mcp-Name: ${ask.tool}\r\n` : ''}`
      : `MCP-Protocol-Version: ${era}\r\n${session}`
  const write = requestWriter(era, ask)

  function framed(headers: string, body: string): string {
    return `POST ${always}${headers}Content-Length: ${body.length}\r\n\r\n${body}`
  }

  function exchange(request: string): Promise<Answer> {
    return new Promise((resolve) => line.send(request, resolve))
  }

  async function beginSession(): Promise<string> {
    const answer = await exchange(framed('', initialize()))
    if (answer.status !== 200) throw new Error(`initialize answers ${answer.status}: ${answer.body.slice(0, 300)}`)
    const id = /\r\nmcp-session-id: *(\S+)/i.exec(answer.head)?.[1]
    const header = id ? `Mcp-Session-Id: ${id}\r\n` : ''
    await exchange(framed(header, initialized()))
    return header
  }

  return {
    ask(id, token, heard) {
      line.send(framed(own, write(id, token)), ({ status, body }) =>
        heard(status === 200 ? faultOf(ask, id, token, body) : `status ${status}: ${body.slice(0, 300)}`),
      )
    },
    async close() {
      if (session) await exchange(`DELETE ${always}${own}Content-Length: 0\r\n\r\n`)
      line.close()
    },
  }
}

function headersOf({ via }: Plan, url: URL, key: string | undefined): string {
  const authorization = via.kind === 'http' && key ? `Authorization: Bearer ${key}\r\n` : ''
  return `${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nUser-Agent: bench/1.0.0\r\n${authorization}`
}
