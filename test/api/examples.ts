import { randomBytes } from 'node:crypto'
import type { Caller } from '../../src/core/caller.ts'
import { newFullKey } from '../../src/core/keys/format.ts'
import { addRepo } from '../../src/core/repos/edit.ts'
import { offering, overStdio } from '../support/mcp.ts'
import { operator, type Started } from '../support/start.ts'
import { zipOf } from '../support/zip.ts'

/** A request that succeeds, for a caller with every power; `by` owns what it is about. */
export type Example = { path?: Record<string, string>; query?: string; body?: object; file?: string | Uint8Array }
type Make = (app: Started, by: Caller) => Promise<Example> | Example

const victim: Make = async (app, by) => ({
  path: { id: (await app.key({ name: 'victim', scopes: ['mcp:*'] }, app.workspace.id, by)).key.id },
})

let repos = 0
const someRepo: Make = async ({ ctx, workspace }) => {
  const { name } = await addRepo(ctx, operator, workspace.id, { name: `repo-${++repos}` })
  return { path: { id: name } }
}
const someFile: Make = async (app, by) => {
  const { path } = await someRepo(app, by)
  const { fullKey } = await app.key({ scopes: ['repo:write'] })
  const sent = await app.call('PUT', `/api/v1/repos/${path!.id}/files/guides/first.md`, { key: fullKey, body: '# One' })
  if (sent.status !== 200) throw new Error(await sent.text())
  return { path: { ...path, path: 'guides/first.md' } }
}

let mcps = 0
const someMcp: Make = async (app) => {
  const slug = `mcp-${++mcps}`
  await offering(app, slug, { live: { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {} } })
  return { path: { id: slug } }
}

const served = new WeakMap<object, Promise<unknown>>()

/** Real servers behind MCPs that every request may call: they start once for each app. */
export function serving(app: Started): Promise<unknown> {
  const known = served.get(app.ctx)
  if (known) return known
  const all = Promise.all([
    offering(app, 'fix', { live: overStdio() }),
    offering(app, 'only-test', { test: overStdio() }),
    offering(app, 'dead', { live: { ...overStdio(), command: 'no-such-command' } }),
    offering(app, 'slow', { live: overStdio('--list-delay', '60000'), timeoutSeconds: 1 }),
  ])
  served.set(app.ctx, all)
  return all
}

const fixture: Make = async (app) => {
  await serving(app)
  return { path: { id: 'fix' } }
}

/** One for each operation: the table of routes and the contract test ask them all. */
export const EXAMPLES: Record<string, Make> = {
  whoami: () => ({}),
  connectClient: () => ({ path: { client: 'claude-code' } }),
  listKeys: () => ({ query: 'limit=3&status=active&search=a' }),
  createKey: () => ({ body: { name: 'laptop', scopes: ['mcp:docs:search'], expires_at: '90d' } }),
  verifyKey: async (app, by) => ({
    body: { key: (await app.key({}, app.workspace.id, by)).fullKey, mcp: 'docs', tool: 'search', ip: '203.0.113.7' },
  }),
  getKey: victim,
  changeKey: async (app, by) => ({ ...(await victim(app, by)), body: { description: 'of Ana', quota_per_day: 100 } }),
  disableKey: victim,
  enableKey: victim,
  rotateKey: async (app, by) => ({ ...(await victim(app, by)), body: { overlap_seconds: 60 } }),
  finishKeyRotation: victim,
  keyImpact: victim,
  keyActivity: async (app, by) => ({ ...(await victim(app, by)), query: 'limit=3' }),
  importKey: () => ({
    body: { name: 'moved here', sha256: randomBytes(32).toString('hex'), hint: 'tp_a1b2…9z', expires_at: '90d' },
  }),
  reportLeak: () => ({ body: { keys: [newFullKey('clv', 'live').reveal(), 'tp_of_another_kind'] } }),
  revokeKey: async (app, by) => ({ ...(await victim(app, by)), body: { reason: 'laptop lost' } }),
  deleteKey: victim,
  listMcps: async (app, by) => ({ ...(await someMcp(app, by)), query: 'limit=1' }),
  createMcp: () => ({
    body: { slug: `made-${++mcps}`, live: { url: 'https://wiki.example/mcp', headers: { Authorization: 'Bearer x' } } },
  }),
  getMcp: someMcp,
  changeMcp: async (app, by) => ({ ...(await someMcp(app, by)), body: { name: 'Renamed', timeout_seconds: 60 } }),
  deleteMcp: someMcp,
  refreshMcp: fixture,
  listTools: fixture,
  callTool: async (app, by) => {
    const { path } = await fixture(app, by)
    return { path: { ...path, tool: 'echo' }, body: { arguments: { text: 'hi', ms: 60_000 } } }
  },
  listRepos: async (app, by) => ({ ...(await someRepo(app, by)), query: 'limit=1' }),
  createRepo: () => ({ body: { name: `repo-${++repos}`, environments: ['live'] } }),
  getRepo: someRepo,
  changeRepo: async (app, by) => ({ ...(await someRepo(app, by)), body: { environments: ['live', 'test'] } }),
  deleteRepo: someRepo,
  refreshRepo: someRepo,
  listRepoFiles: async (app, by) => ({ ...(await someFile(app, by)), query: 'prefix=guides/&limit=1' }),
  addRepoFiles: async (app, by) => ({ ...(await someRepo(app, by)), file: zipOf({ 'a.md': '# A', 'b/c.md': '# C' }) }),
  getRepoFile: someFile,
  putRepoFile: async (app, by) => ({ ...(await someFile(app, by)), file: '# Two' }),
  deleteRepoFile: someFile,
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
