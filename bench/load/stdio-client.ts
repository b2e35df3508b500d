import type { Client } from './client.ts'
import { faultOf, initialize, initialized, requestWriter } from './messages.ts'
import type { Plan } from './plan.ts'

export type StdioClients = { pid: number; clients: Client[]; end(): Promise<void> }

const ID = /"id":(\d+)/

/** So many clients over one child, as near to a stdio server as anybody can come. */
export async function stdioClients(
  { via, era, ask, clients }: Plan & { via: { kind: 'stdio' } },
  broken: (why: string) => void,
): Promise<StdioClients> {
  const child = Bun.spawn(via.argv, { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  const waiting = new Map<number, (line: string) => void>()
  const write = requestWriter(era, ask)
  let lastId = 0
  let scheduled = false

  function send(text: string): void {
    child.stdin.write(`${text}\n`)
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      child.stdin.flush()
    })
  }

  async function listen(): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const id = Number(ID.exec(line)?.[1])
        const heard = waiting.get(id)
        if (!heard) return broken(`an answer to nothing: ${line.slice(0, 200)}`)
        waiting.delete(id)
        heard(line)
      }
    }
  }
  const listening = listen()

  if (era === '2025-11-25') {
    await new Promise<string>((resolve) => {
      waiting.set(0, resolve)
      send(initialize())
    })
    send(initialized())
  }

  const client: Client = {
    ask(_id, token, heard) {
      const id = ++lastId // one wire for all: equal ids would be one call
      waiting.set(id, (line) => heard(faultOf(ask, id, token, line)))
      send(write(id, token))
    },
    async close() {},
  }
  return {
    pid: child.pid,
    clients: Array.from({ length: clients }, () => client),
    async end() {
      child.stdin.end()
      await child.exited
      await listening
    },
  }
}
