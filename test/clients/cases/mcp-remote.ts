import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { type Case, lineWith } from '../case.ts'

export const mcpRemote: Case[] = [
  {
    name: 'mcp-remote, under the SDK',
    package: { name: 'mcp-remote', version: '0.15.1' },
    async run(world) {
      // As Claude Desktop is told to: no space after the colon, the value in a variable.
      const args = [world.url, '--header', 'Authorization:${AUTH_HEADER}', '--transport', 'http-only']
      const auth = { AUTH_HEADER: `Bearer ${world.key}` }
      await world.step('list', async () => {
        const tested = world.begin('mcp-remote-client', args, auth) // its standard input must stay open
        await tested.until(/"name": "echo"/)
        return lineWith(/Connected successfully/, (await tested.end()).all)
      })
      const client = new Client({ name: 'driver', version: '1.0.0' })
      const { command, env } = world.programFor('mcp-remote')
      await client.connect(
        new StdioClientTransport({ command, args, env: { ...env, ...auth }, cwd: world.home, stderr: 'ignore' }),
      )
      const call = () => client.callTool({ name: 'echo', arguments: { text: world.words } })
      try {
        await world.step('call', async () => lineWith(new RegExp(world.words), JSON.stringify((await call()).content)))
        await world.revoke()
        await world.step('refused', async () => {
          const failure = await call().then(
            () => null,
            (error: Error) => error,
          )
          if (!failure) throw new Error('The call was answered after the key was revoked.')
          const again = await world.run('mcp-remote-client', args, auth)
          return `${failure.message} / ${lineWith(/rejected|revoked|Fatal error/, again.all)}`
        })
      } finally {
        await client.close()
      }
    },
  },
]
