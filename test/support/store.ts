import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { ActivityLine } from '../../src/core/activity.ts'
import type { Action, AuditEntry } from '../../src/core/audit.ts'
import { INSTANCE } from '../../src/core/audit.ts'
import type { Repo } from '../../src/core/docs.ts'
import { newId } from '../../src/core/ids.ts'
import { hashOf, hintOf, newFullKey } from '../../src/core/keys/format.ts'
import type { Key } from '../../src/core/keys/key.ts'
import type { Mcp } from '../../src/core/mcps/mcp.ts'
import { deriveSecrets, Secret } from '../../src/core/secret.ts'
import type { Invitation, Session, User, Workspace } from '../../src/core/workspaces/workspace.ts'
import { type OpenStore, openStore } from '../../src/store/open.ts'
import { robot } from './start.ts'

export const NOW = new Date('2026-06-01T12:00:00.000Z')
export const later = (ms: number) => new Date(NOW.getTime() + ms)
export const secrets = deriveSecrets(new Secret('the secret of the tests of the store'))

const open: OpenStore[] = []
const folders: string[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'claviger-store-'))
  folders.push(made)
  return made
}

/** A store that is closed after the test; in memory unless a file is named. */
export function storeIn(file = ':memory:'): OpenStore {
  const store = openStore(file, secrets, NOW)
  open.push(store)
  return store
}

export function entryOf(action: Action, chain: string, id: string, more: Partial<AuditEntry> = {}): AuditEntry {
  const subject = { kind: action.split('.')[0]!, id, label: id }
  return { chain, at: NOW, actor: robot, action, subject, before: null, after: null, ...more }
}

export function aUser(more: Partial<User> = {}): User {
  const id = newId('usr', NOW)
  return {
    id,
    email: `${id}@example.com`,
    name: 'Ana',
    passwordHash: 'h',
    instanceOwner: false,
    createdAt: NOW,
    ...more,
  }
}

export function aWorkspace(more: Partial<Workspace> = {}): Workspace {
  const id = newId('wsp', NOW)
  return { id, slug: `s-${id.slice(-12)}`, name: 'Main', createdAt: NOW, ...more }
}

export function aSession(user: User, more: Partial<Session> = {}): Session {
  const times = { createdAt: NOW, lastSeenAt: NOW, endsAt: later(1000) }
  return { id: newId('ses', NOW), userId: user.id, ...times, address: '127.0.0.1', userAgent: 'test', ...more }
}

export function anInvitation(workspace: Workspace, more: Partial<Invitation> = {}): Invitation {
  const times = { createdAt: NOW, expiresAt: later(1000) }
  return {
    id: newId('inv', NOW),
    workspaceId: workspace.id,
    email: null,
    role: 'member',
    createdBy: 'test',
    createdById: null,
    ...times,
    ...more,
  }
}

export function aKey(workspace: Workspace, more: Partial<Key> = {}): { key: Key; fullKey: string; hash: string } {
  const fullKey = newFullKey('clv', more.environment ?? 'live').reveal()
  const key: Key = {
    id: newId('key', NOW),
    workspaceId: workspace.id,
    ownerId: null,
    hint: hintOf(fullKey),
    name: 'a key',
    description: null,
    environment: 'live',
    type: 'restricted',
    scopes: ['mcp:*'],
    mcpAccess: { mode: 'all' },
    ipAllow: [],
    rateLimitPerMinute: 600,
    quotaPerDay: null,
    allowInUrl: false,
    notBefore: null,
    expiresAt: null,
    disabledAt: null,
    overlapEndsAt: null,
    revokedAt: null,
    revokedReason: null,
    createdAt: NOW,
    createdBy: { kind: 'cli', id: null, label: 'test' },
    revision: 1,
    ...more,
  }
  return { key, fullKey, hash: hashOf(fullKey, secrets) }
}

export function anMcp(workspace: Workspace, more: Partial<Mcp> = {}): Mcp {
  return {
    id: newId('mcp', NOW),
    workspaceId: workspace.id,
    slug: 'files',
    name: 'Files',
    transport: 'http',
    targets: { live: { kind: 'http', url: 'https://files.example/mcp', headers: {} }, test: null },
    isolation: 'shared',
    timeoutSeconds: 120,
    createdAt: NOW,
    revision: 1,
    ...more,
  }
}

export function aLine(workspace: Pick<Workspace, 'id'>, more: Partial<ActivityLine> = {}): ActivityLine {
  return {
    workspaceId: workspace.id,
    at: NOW,
    requestId: newId('req', NOW),
    keyId: 'key_1',
    mcp: 'files',
    method: 'tools/call',
    tool: 'read',
    environment: 'live',
    outcome: 'ok',
    status: 200,
    latencyMs: 1.5,
    upstreamMs: 1,
    ip: '127.0.0.1',
    client: 'test/1',
    ...more,
  }
}

export function aRepo(workspace: Workspace, more: Partial<Repo> = {}): Repo {
  return {
    id: newId('rep', NOW),
    workspaceId: workspace.id,
    name: 'handbook',
    source: 'folder',
    path: '/srv/handbook',
    environments: ['live'],
    createdAt: NOW,
    revision: 1,
    ...more,
  }
}

/** A workspace with an owner, and short ways to fill it. */
export async function furnished(store: OpenStore) {
  const [owner, workspace] = [aUser({ instanceOwner: true }), aWorkspace()]
  await store.setup.complete(null, owner, workspace, NOW, [
    entryOf('instance.set_up', INSTANCE, owner.id),
    entryOf('workspace.created', INSTANCE, workspace.id),
    entryOf('workspace.created', workspace.id, workspace.id),
  ])
  return {
    owner,
    workspace,
    async user(more: Partial<User> = {}): Promise<User> {
      const user = aUser(more)
      await store.users.add(user, entryOf('user.created', INSTANCE, user.id))
      return user
    },
    async key(more: Partial<Key> = {}) {
      const made = aKey(workspace, more)
      await store.keys.add(made.key, { hash: made.hash }, entryOf('key.created', workspace.id, made.key.id))
      return made
    },
    actions: async (chain = workspace.id) =>
      (await store.audit.list({ chain }, { limit: 200, cursor: null })).items.map((line) => line.action).reverse(),
  }
}
