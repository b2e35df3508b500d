import { headerValue } from '../../upstreams/header-value.ts'
import type { Message } from './message.ts'

const ABOUT = 'io.modelcontextprotocol/'

type Tool = { name: string; inputSchema?: { properties?: Record<string, Record<string, unknown> | undefined> } }

/** The headers of the newer protocol, some of which repeat an argument of the tool that is called (SEP-2243). */
export function repeatedHeaders() {
  const parameters = new Map<string, Map<string, string>>()

  function learn(tools: unknown): void {
    if (!Array.isArray(tools)) return
    for (const { name, inputSchema } of tools as Tool[])
      parameters.set(
        name,
        new Map(
          Object.entries(inputSchema?.properties ?? {}).flatMap(([member, schema]) =>
            typeof schema?.['x-mcp-header'] === 'string' ? [[member, schema['x-mcp-header']] as const] : [],
          ),
        ),
      )
  }

  /** Null: the message is one of the older protocol. */
  function headersFor({ method, params = {} }: Message): Record<string, string> | null {
    const meta = params._meta as Record<string, unknown> | undefined
    const revision = meta?.[`${ABOUT}protocolVersion`]
    if (typeof revision !== 'string') return null
    const named = params.name ?? params.uri
    return {
      'MCP-Protocol-Version': revision,
      'Mcp-Method': method!,
      ...(typeof named === 'string' && { 'Mcp-Name': headerValue(named) }),
      ...(method === 'tools/call' && repeated(params)),
    }
  }

  function repeated({ name, arguments: given = {} }: Record<string, unknown>): Record<string, string> {
    return Object.fromEntries(
      [...(parameters.get(String(name)) ?? [])].flatMap(([member, header]) => {
        const value = (given as Record<string, unknown>)[member]
        const plain = ['string', 'number', 'boolean'].includes(typeof value)
        return plain ? [[`Mcp-Param-${header}`, headerValue(String(value))]] : []
      }),
    )
  }

  return { learn, headersFor }
}
