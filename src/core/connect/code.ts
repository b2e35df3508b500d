import { command, quoted } from './shells.ts'
import { bearer, type Client, type Target } from './variant.ts'

const REVISION = '2026-07-28'
const SDK = '@modelcontextprotocol/client'

/** Asks for the list of tools without a session, so that one request is enough. */
function listing({ url }: Target, authorization: string, program = 'curl'): string[] {
  const about = 'io.modelcontextprotocol/'
  const meta = { [`${about}protocolVersion`]: REVISION, [`${about}clientCapabilities`]: {} }
  return [
    ...[program, '-s', url],
    ...['-H', authorization],
    ...['-H', 'Content-Type: application/json'],
    ...['-H', 'Accept: application/json, text/event-stream'],
    ...['-H', `MCP-Protocol-Version: ${REVISION}`],
    ...['-H', 'Mcp-Method: tools/list'],
    ...['-d', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } })],
  ]
}

/** Windows PowerShell means another program by `curl`. */
export const curl: Client = {
  label: 'curl',
  kind: 'code',
  variants(target) {
    const { variable, key } = target
    const header = `Authorization: ${bearer(target)}`
    const title = 'List the tools'
    const [unix] = command(listing(target, header), { title })
    const [, ...windows] = command(listing(target, header, 'curl.exe'), { title })
    const line = listing(target, '').map((said) => (said === '' ? `"Authorization: Bearer $${variable}"` : word(said)))
    return [
      unix!,
      ...windows,
      {
        title: 'Key in a variable',
        content: `export ${variable}=${word(key)}\n${line.join(' ')}`,
        note: 'Recommended for scripts: set the variable where secrets are kept.',
      },
    ]
  },
}

const word = (text: string) => quoted('posix', text)!

export const typescript: Client = {
  label: 'TypeScript',
  kind: 'code',
  variants(target) {
    const note = `npm install ${SDK}`
    const fromVariable = `\`Bearer \${env.${target.variable}}\``
    return [
      { title: 'TypeScript', content: tsCode(target, JSON.stringify(bearer(target))), note },
      {
        title: 'Key in a variable',
        content: `import { env } from 'node:process'\n${tsCode(target, fromVariable)}`,
        note: `Recommended: set ${target.variable} to the key.`,
      },
    ]
  },
}

function tsCode({ url }: Target, authorization: string): string {
  return `import { Client, StreamableHTTPClientTransport } from '${SDK}'

const client = new Client({ name: 'my-program', version: '1.0.0' })
const transport = new StreamableHTTPClientTransport(new URL(${JSON.stringify(url)}), {
  requestInit: { headers: { Authorization: ${authorization} } },
})
await client.connect(transport)
const { tools } = await client.listTools()
process.stdout.write(tools.map(({ name }) => \`\${name}\\n\`).join(''))
await client.close()`
}

export const python: Client = {
  label: 'Python',
  kind: 'code',
  variants(target) {
    const note = 'pip install mcp'
    const fromVariable = `f"Bearer {os.environ['${target.variable}']}"`
    return [
      { title: 'Python', content: pyCode(target, JSON.stringify(bearer(target)), ''), note },
      {
        title: 'Key in a variable',
        content: pyCode(target, fromVariable, 'import os\n'),
        note: `Recommended: set ${target.variable} to the key.`,
      },
    ]
  },
}

function pyCode({ url }: Target, authorization: string, imports: string): string {
  return `import asyncio
${imports}
from mcp import ClientSession
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def main():
    http_client = create_mcp_http_client(headers={"Authorization": ${authorization}})
    async with streamable_http_client(${JSON.stringify(url)}, http_client=http_client) as (read, write, *_):
        async with ClientSession(read, write) as session:
            await session.initialize()
            for tool in (await session.list_tools()).tools:
                print(tool.name)


asyncio.run(main())`
}
