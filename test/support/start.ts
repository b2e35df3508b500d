import { hash } from '@node-rs/argon2'
import { afterEach } from 'vitest'
import { startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { Actor } from '../../src/core/audit.ts'
import { INSTANCE } from '../../src/core/audit.ts'
import type { Caller } from '../../src/core/caller.ts'
import type { Context } from '../../src/core/context.ts'
import { newId } from '../../src/core/ids.ts'
import { issue } from '../../src/core/keys/issuing.ts'
import type { Key } from '../../src/core/keys/key.ts'
import type { NewKey } from '../../src/core/keys/wishes.ts'
import type { Role } from '../../src/core/workspaces/roles.ts'
import { openSession } from '../../src/core/workspaces/sign-in.ts'
import type { User, Workspace } from '../../src/core/workspaces/workspace.ts'
import { createLog } from '../../src/log.ts'

export const PASSWORD = 'correct horse battery staple'

/** One round of argon2 is enough for a password that everybody may read. */
const cheapHash = hash(PASSWORD, { memoryCost: 1024, timeCost: 1, parallelism: 1 })

export const robot: Actor = { kind: 'cli', id: null, label: 'test', address: null, requestId: null }
export const operator: Caller = { kind: 'operator', actor: robot }

type Options = {
  env?: Record<string, string>
  now?: Date
  setUp?: boolean
  level?: 'debug' | 'info'
  /** Outlives the test: a table of many rows closes it itself. */
  shared?: boolean
  /** On this folder, where the command line can work beside it; else in memory. */
  dataDir?: string
}

const running: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()))
})

export type Started = Awaited<ReturnType<typeof start>>

/** The whole program on a free port, over a database in memory (or on disk) and a clock that only the test moves. */
export async function start({
  env = {},
  now = new Date('2026-06-01T12:00:00Z'),
  setUp = true,
  level = 'debug',
  shared = false,
  dataDir,
}: Options = {}) {
  const clock = { now }
  const logs: string[] = []
  const { config } = readConfig({
    env: { CLAVIGER_PORT: '0', CLAVIGER_LOG_LEVEL: level, ...(dataDir && { CLAVIGER_DATA_DIR: dataDir }), ...env },
  })
  const log = createLog({ level, write: (line) => void logs.push(line), now: () => clock.now })
  const app = await startApp({ config, log, now: () => clock.now, inMemory: dataDir === undefined, graceMs: 2000 })
  if (!shared) running.push(app)
  const { ctx, origin } = app

  async function call(
    method: string,
    path: string,
    { key, cookie, body, form, headers = {}, signal }: Sent = {},
  ): Promise<Response> {
    const sent = new Headers(headers)
    if (key) sent.set('authorization', `Bearer ${key}`)
    if (cookie) sent.set('cookie', cookie)
    if (body !== undefined && !sent.has('content-type')) sent.set('content-type', 'application/json')
    if (form && !sent.has('sec-fetch-site')) sent.set('sec-fetch-site', 'same-origin')
    const payload = form
      ? new URLSearchParams(form)
      : typeof body === 'string' || body instanceof Uint8Array
        ? (body as string | Uint8Array<ArrayBuffer>)
        : body === undefined
          ? undefined
          : JSON.stringify(body)
    return fetch(origin + path, { method, headers: sent, body: payload, redirect: 'manual', signal })
  }

  const first = setUp ? await owner(ctx) : null

  return {
    app,
    ctx,
    origin,
    logs,
    call,
    get: (path: string, key?: string) => call('GET', path, { key }),
    post: (path: string, body?: unknown, key?: string) => call('POST', path, { body: body ?? {}, key }),
    /** Later by so many milliseconds. */
    advance: (ms: number) => {
      clock.now = new Date(clock.now.getTime() + ms)
    },
    /** The first owner and their workspace; throws if the instance was not set up. */
    get owner(): User {
      return first!.user
    },
    get workspace(): Workspace {
      return first!.workspace
    },
    close: app.close,
    /** A key of the first workspace, or of another. */
    async key(
      wanted: Partial<NewKey> = {},
      workspaceId = first!.workspace.id,
      by: Caller = operator,
    ): Promise<{ key: Key; fullKey: string }> {
      const { key, fullKey } = await issue(ctx, by, workspaceId, { name: 'a key', ...wanted })
      return { key, fullKey: fullKey.reveal() }
    },
    /** A person in a role of the first workspace, signed in: the cookie header that proves it. */
    async person(
      role: Role | null,
      email = `${role ?? 'stranger'}@example.com`,
    ): Promise<{ user: User; cookie: string; caller: Caller }> {
      const user = await account(ctx, email)
      if (role) {
        const entry = {
          chain: first!.workspace.id,
          at: ctx.now(),
          actor: robot,
          action: 'member.added' as const,
          subject: { kind: 'user', id: user.id, label: email },
          before: null,
          after: { role },
        }
        await ctx.store.members.add(first!.workspace.id, user.id, role, ctx.now(), entry)
      }
      return {
        user,
        cookie: await cookieOf(ctx, user),
        caller: {
          kind: 'person',
          actor: { ...robot, kind: 'user', id: user.id, label: email },
          user,
          role: role ?? 'viewer',
        },
      }
    },
    cookieOf: (user: User) => cookieOf(ctx, user),
  }
}

type Sent = {
  key?: string
  cookie?: string
  body?: unknown
  form?: Record<string, string> | [string, string][]
  headers?: Record<string, string>
  signal?: AbortSignal
}

async function owner(ctx: Context): Promise<{ user: User; workspace: Workspace }> {
  const now = ctx.now()
  const user: User = {
    id: newId('usr', now),
    email: 'ana@example.com',
    name: 'Ana',
    passwordHash: await cheapHash,
    instanceOwner: true,
    createdAt: now,
  }
  const workspace: Workspace = { id: newId('wsp', now), slug: 'main', name: 'Main', createdAt: now }
  const subject = { kind: 'workspace', id: workspace.id, label: 'main' }
  const entry = { at: now, actor: robot, subject, before: null, after: null }
  await ctx.store.setup.complete(null, user, workspace, now, [
    { ...entry, chain: INSTANCE, action: 'instance.set_up' },
    { ...entry, chain: INSTANCE, action: 'workspace.created' },
    { ...entry, chain: workspace.id, action: 'workspace.created' },
  ])
  return { user, workspace }
}

async function account(ctx: Context, email: string): Promise<User> {
  const known = await ctx.store.users.byEmail(email)
  if (known) return known
  const user: User = {
    id: newId('usr', ctx.now()),
    email,
    name: email.split('@')[0]!,
    passwordHash: await cheapHash,
    instanceOwner: false,
    createdAt: ctx.now(),
  }
  await ctx.store.users.add(user, {
    chain: INSTANCE,
    at: ctx.now(),
    actor: robot,
    action: 'user.created',
    subject: { kind: 'user', id: user.id, label: email },
    before: null,
    after: null,
  })
  return user
}

async function cookieOf(ctx: Context, user: User): Promise<string> {
  const token = await openSession(ctx, { address: '127.0.0.1', userAgent: 'test', requestId: 'test' }, user)
  return `claviger_session=${token.reveal()}`
}
