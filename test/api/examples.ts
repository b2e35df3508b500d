import type { Caller } from '../../src/core/caller.ts'
import type { Started } from '../support/start.ts'

/** A request that succeeds, for a caller with every power; `by` owns what it is about. */
export type Example = { path?: Record<string, string>; query?: string; body?: object }
type Make = (app: Started, by: Caller) => Promise<Example> | Example

const victim: Make = async (app, by) => ({
  path: { id: (await app.key({ name: 'victim', scopes: ['mcp:*'] }, app.workspace.id, by)).key.id },
})

/** One for each operation: the table of routes and the contract test ask them all. */
export const EXAMPLES: Record<string, Make> = {
  whoami: () => ({}),
  listKeys: () => ({ query: 'limit=3&status=active&search=a' }),
  createKey: () => ({ body: { name: 'laptop', scopes: ['mcp:docs:search'], expires_at: '90d' } }),
  verifyKey: async (app, by) => ({
    body: { key: (await app.key({}, app.workspace.id, by)).fullKey, mcp: 'docs', tool: 'search', ip: '203.0.113.7' },
  }),
  getKey: victim,
  changeKey: async (app, by) => ({ ...(await victim(app, by)), body: { description: 'of Ana', quota_per_day: 100 } }),
  disableKey: victim,
  enableKey: victim,
  revokeKey: async (app, by) => ({ ...(await victim(app, by)), body: { reason: 'laptop lost' } }),
  deleteKey: victim,
  listAudit: () => ({ query: 'limit=3' }),
  verifyAudit: () => ({}),
  openapi: () => ({}),
}

export async function exampleOf(operation: string, app: Started, by: Caller): Promise<Example> {
  const make = EXAMPLES[operation]
  if (!make) throw new Error(`${operation} has no example request. Add one to test/api/examples.ts.`)
  return make(app, by)
}

export function addressOf(path: string, example: Example): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => example.path![name]!)
  return `/api/v1${filled}${example.query ? `?${example.query}` : ''}`
}
