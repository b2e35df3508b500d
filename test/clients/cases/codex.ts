import { type Case, lineWith } from '../case.ts'
import type { Running } from '../processes.ts'

type Result = {
  data: { name: string; tools: Record<string, unknown> }[]
  thread: { id: string }
  isError: boolean
}
type Answer = { id: number; result?: Partial<Result>; error?: { message: string } }

/** JSON lines without `jsonrpc`, as `codex app-server` speaks them. */
export function speakTo(server: Running) {
  let last = 0
  return {
    tell: (method: string) => server.write(`${JSON.stringify({ method })}\n`),
    async ask(method: string, params: object): Promise<Answer> {
      const id = ++last
      server.write(`${JSON.stringify({ id, method, params })}\n`)
      const [line] = await server.until(new RegExp(`^\\{("id":${id},|"error":).*(?<=\\}|"id":${id}\\})$`, 'm'))
      return JSON.parse(line)
    },
  }
}

export const codex: Case[] = [
  {
    name: 'Codex, app-server',
    package: { name: '@openai/codex', version: '0.169.0' },
    async run(world) {
      const env = { GW_KEY: world.key }
      const added = await world.run('codex', [
        'mcp',
        'add',
        'gw',
        '--url',
        world.url,
        '--bearer-token-env-var',
        'GW_KEY',
      ])
      lineWith(/Added global MCP server 'gw'/, added.all)

      const server = world.begin('codex', ['app-server'], env)
      const { tell, ask } = speakTo(server)
      await ask('initialize', { clientInfo: { name: 'script', title: 'Script', version: '1' } })
      tell('initialized')
      await world.step('list', async () => {
        const { result } = await ask('mcpServerStatus/list', {})
        const [status] = result?.data ?? []
        if (!status?.tools.echo) throw new Error(JSON.stringify(result))
        return `${status.name}: ${Object.keys(status.tools).length} tools`
      })
      const { result } = await ask('thread/start', { cwd: world.home })
      const threadId = result?.thread?.id
      const call = () =>
        ask('mcpServer/tool/call', { threadId, server: 'gw', tool: 'echo', arguments: { text: world.words } })
      await world.step('call', async () => lineWith(new RegExp(world.words), JSON.stringify((await call()).result)))
      await world.revoke()
      await world.step('refused', async () => {
        const { result, error } = await call()
        if (result && !result.isError) throw new Error(`The call was answered after the key was revoked.`)
        return lineWith(/revoked/, JSON.stringify(result ?? error))
      })
      await server.end()
    },
  },
]
