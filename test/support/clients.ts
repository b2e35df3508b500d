import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { onTestFinished } from 'vitest'

export type ClientEra = 'auto' | 'legacy' | { pin: string }

type Options = { mode?: ClientEra; capabilities?: Record<string, object>; headers?: Record<string, string> }

/** The SDK's own client over a real socket, with a key as people configure it. */
export async function connect(
  url: string,
  key: string,
  { mode = 'auto', capabilities = {}, headers = {} }: Options = {},
): Promise<Client> {
  const client = new Client(
    { name: 'test-client', version: '1.2.3' },
    { capabilities, versionNegotiation: { mode: mode as 'auto' } },
  )
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${key}`, ...headers } },
  })
  await client.connect(transport)
  onTestFinished(() => client.close())
  return client
}
