import { type McpRequestContext, McpServer } from '@modelcontextprotocol/server'
import { offerCompletions } from './completions.ts'
import { offerPrompts } from './prompts.ts'
import type { Reader } from './reader.ts'
import { offerResources } from './resources.ts'
import { offerTools } from './tools.ts'

const INSTRUCTIONS =
  'Searches documentation. Begin with `search`, read what it finds with `get_doc`, and answer from what you have read, naming the path. `list_repos` says what there is.'

/** The documentation as an MCP server, for one reader. */
export function docsServer(reader: Reader, version: string): (context: McpRequestContext) => McpServer {
  return () => {
    const mcp = new McpServer(
      { name: 'claviger-docs', title: 'Documentation', version },
      {
        capabilities: { tools: {}, prompts: {}, resources: { listChanged: true }, completions: {} },
        instructions: INSTRUCTIONS,
      },
    )
    offerTools(mcp, reader)
    offerResources(mcp.server, reader)
    offerPrompts(mcp.server, reader)
    offerCompletions(mcp.server, reader)
    mcp.server.onclose = reader.onChange(() => {
      mcp.server.sendResourceListChanged().catch(() => {}) // the connection closed meanwhile
    })
    return mcp
  }
}
