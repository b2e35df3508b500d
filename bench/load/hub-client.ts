import type { Client } from './client.ts'
import { httpLine } from './http-line.ts'
import type { Plan } from './plan.ts'

/** A script that calls tools by mcp-hub's REST interface, which is its fastest: on one connection, without a session. */
export async function hubClient(
  { via, ask }: Plan & { via: { kind: 'hub' } },
  broken: (why: string) => void,
): Promise<Client> {
  const url = new URL(via.url)
  const line = await httpLine(url.hostname, Number(url.port), broken)
  const head = `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\n`
  return {
    ask(_id, token, heard) {
      const body = JSON.stringify({
        server_name: via.server,
        tool: 'tool' in ask ? ask.tool : '',
        arguments: { text: token },
      })
      line.send(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, ({ status, body: answer }) =>
        heard(
          status === 200 && answer.includes(`"text":"${token}"`) ? null : `status ${status}: ${answer.slice(0, 300)}`,
        ),
      )
    },
    async close() {
      line.close()
    },
  }
}
