import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'

/** The SDKs' own clients, reduced to what the tests ask of any of them. */
export type AnyClient = {
  era: string | undefined
  toolNames: () => Promise<string[]>
  call: (name: string, args?: Record<string, unknown>, onprogress?: (progress: number) => void) => Promise<unknown>
  close: () => Promise<void>
}

const INFO = { name: 'fixture-test', version: '1.0.0' }
const CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} }
const SAMPLED = { role: 'assistant' as const, content: { type: 'text' as const, text: 'Paris' }, model: 'test' }
const ELICITED = { action: 'accept' as const, content: { username: 'Ada', email: 'ada@example.com' } }
const ROOTS = { roots: [{ uri: 'file:///work', name: 'Work' }] }

export async function clientV2(mode: 'auto' | 'legacy', args: string[]): Promise<AnyClient> {
  const client = new ClientV2(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } })
  client.setRequestHandler('sampling/createMessage', () => SAMPLED)
  client.setRequestHandler('elicitation/create', () => ELICITED)
  client.setRequestHandler('roots/list', () => ROOTS)
  await client.connect(new StdioV2({ command: process.execPath, args }))
  return {
    era: client.getProtocolEra(),
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args = {}, onprogress = () => {}) =>
      client.callTool({ name, arguments: args }, { onprogress: ({ progress }) => onprogress(progress) }),
    close: () => client.close(),
  }
}

export async function clientV1(args: string[]): Promise<AnyClient> {
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES })
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED)
  client.setRequestHandler(ElicitRequestSchema, () => ELICITED)
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTS)
  await client.connect(new StdioV1({ command: process.execPath, args }))
  return {
    era: 'legacy',
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args = {}, onprogress = () => {}) =>
      client.callTool({ name, arguments: args }, CallToolResultSchema, {
        onprogress: ({ progress }) => onprogress(progress),
      }),
    close: () => client.close(),
  }
}
