import type { ActivityLine, KeyUsed, OldSecretUsed } from './activity.ts'
import type { AuditEntry, AuditHead, AuditLine } from './audit.ts'
import type { Repo } from './docs.ts'
import type { Environment, Key, KeyState, KeyUse } from './keys/key.ts'
import type { Mcp } from './mcps/mcp.ts'
import type { KnownOffer } from './mcps/state.ts'
import type { Furniture } from './repos/furnish.ts'
import type { Role } from './workspaces/roles.ts'
import type { Invitation, Member, Membership, Session, User, Workspace } from './workspaces/workspace.ts'

/**
 * What is remembered. Each method that changes something is one transaction and brings its audit entries along: if
 * they cannot be written, the change does not happen.
 */
export type Store = {
  /** Moves whenever what was read earlier may be out of date, whoever wrote: this process or another. */
  version(): number
  /** The same as of the last look, without looking: for what follows a look within one request. */
  seenVersion(): number
  setup: SetupStore
  users: UserStore
  sessions: SessionStore
  workspaces: WorkspaceStore
  members: MemberStore
  invitations: InvitationStore
  keys: KeyStore
  mcps: McpStore
  repos: RepoStore
  uses: UseStore
  activity: ActivityStore
  answers: AnswerStore
  audit: AuditStore
  /** Resolves if the store can be read and written. */
  probe(): Promise<void>
  close(): Promise<void>
}

export type Page<T> = { items: T[]; nextCursor: string | null }
export type PageRequest = { limit: number; cursor: string | null }

export type SetupStore = {
  /** True once an instance owner exists; from then on it stays true. */
  done(): Promise<boolean>
  addLink(tokenHash: string, expiresAt: Date, entry: AuditEntry): Promise<void>
  linkIsGood(tokenHash: string, now: Date): Promise<boolean>
  /** Makes the first owner and uses the link up; false if the link is gone or an owner exists. Null: no link needed. */
  complete(
    tokenHash: string | null,
    owner: User,
    workspace: Workspace,
    now: Date,
    entries: AuditEntry[],
    furniture?: Furniture,
  ): Promise<boolean>
}

export type UserStore = {
  byId(id: string): Promise<User | null>
  byEmail(email: string): Promise<User | null>
  list(): Promise<User[]>
  /** False if the e-mail address is taken. */
  add(user: User, entry: AuditEntry): Promise<boolean>
  change(id: string, changed: Partial<Pick<User, 'name' | 'passwordHash'>>, entry: AuditEntry): Promise<void>
  /** Ends all sessions but one. False if the account is gone, or no longer has the password that was `proven`. */
  changePassword(
    id: string,
    passwordHash: string,
    keepSession: string | null,
    entry: AuditEntry,
    proven?: string,
  ): Promise<boolean>
  /** Gone with their sessions and memberships. */
  remove(id: string, entry: AuditEntry): Promise<void>
}

export type SessionStore = {
  /** False if the account is gone or no longer has the password that was proven. */
  add(session: Session, passwordHash: string, tokenHash: string, entry: AuditEntry): Promise<boolean>
  byToken(tokenHash: string): Promise<Session | null>
  ofUser(userId: string, now: Date): Promise<Session[]>
  touch(id: string, lastSeenAt: Date): Promise<void>
  end(id: string, entry: AuditEntry): Promise<void>
  endAll(userId: string, except: string | null, entry: AuditEntry): Promise<void>
  sweep(now: Date): Promise<void>
}

export type WorkspaceStore = {
  byId(id: string): Promise<Workspace | null>
  bySlug(slug: string): Promise<Workspace | null>
  list(): Promise<Workspace[]>
  ofUser(userId: string): Promise<Membership[]>
  /** With its first owner, or none when made on the command line. False if the slug is taken. */
  add(workspace: Workspace, ownerId: string | null, entries: AuditEntry[], furniture?: Furniture): Promise<boolean>
  /** Those made by a version that had no documentation yet. */
  unfurnished(): Promise<Workspace[]>
  /** Once: nothing happens if it was furnished before. */
  furnish(workspaceId: string, furniture: Furniture): Promise<void>
  rename(id: string, name: string, entry: AuditEntry): Promise<void>
  /** Gone with its keys, members and invitations; its audit stays. */
  remove(id: string, entries: AuditEntry[]): Promise<void>
}

export type MemberStore = {
  roleOf(workspaceId: string, userId: string): Promise<Role | null>
  list(workspaceId: string): Promise<Member[]>
  /** False if they are a member already. */
  add(workspaceId: string, userId: string, role: Role, joinedAt: Date, entry: AuditEntry): Promise<boolean>
  /** From the role in which the caller has seen them. */
  setRole(workspaceId: string, userId: string, from: Role, to: Role, entry: AuditEntry): Promise<MemberChange>
  /** The giver becomes an admin, and the heir, seen in that role, an owner. */
  handOver(
    workspaceId: string,
    giverId: string,
    heir: { userId: string; role: Role },
    entries: AuditEntry[],
  ): Promise<MemberChange>
  /** Their keys go to `heir` (see leftBehind), or are disabled. `entries` sees those that changed, after and before. */
  remove(
    workspaceId: string,
    userId: string,
    from: Role,
    heir: string | null,
    now: Date,
    entries: (keys: Key[], before: Key[]) => AuditEntry[],
  ): Promise<MemberChange>
}

/** Nothing has changed if no owner would be left, or if they no longer have the role in which they were seen. */
export type MemberChange = 'done' | 'last owner' | 'changed meanwhile'

export type InvitationStore = {
  add(invitation: Invitation, tokenHash: string, entry: AuditEntry): Promise<void>
  byToken(tokenHash: string, now: Date): Promise<Invitation | null>
  open(workspaceId: string, now: Date): Promise<Invitation[]>
  /** Uses it up and adds the member, making the account if it is new. False if it, or its maker's power, is gone. */
  accept(tokenHash: string, userId: string, newUser: User | null, now: Date, entries: AuditEntry[]): Promise<boolean>
  revoke(workspaceId: string, id: string, entry: AuditEntry): Promise<boolean>
}

/** A key as found by one of its secrets. */
export type FoundKey = Key & { secret: KeySecret }
/** `endsAt` is set once it was rotated out. */
export type KeySecret = { hash: string; endsAt: Date | null }
export type KeyChange = Partial<
  Pick<
    Key,
    | 'name'
    | 'description'
    | 'scopes'
    | 'mcpAccess'
    | 'ipAllow'
    | 'rateLimitPerMinute'
    | 'quotaPerDay'
    | 'allowInUrl'
    | 'notBefore'
    | 'expiresAt'
    | 'type'
    | 'disabledAt'
    | 'revokedAt'
    | 'revokedReason'
  >
>

export const KEY_SORTS = ['created', 'name', 'last_used', 'expires'] as const
export type KeySort = (typeof KEY_SORTS)[number]

export type KeyQuery = {
  workspaceId: string
  environment?: Key['environment']
  type?: Key['type']
  /** The slug of an MCP that they reach. */
  mcp?: string
  /** By when they were made, unless told. */
  sort?: KeySort
  /** Unless told: the newest, the latest used, the first by name, the first to end. */
  order?: 'asc' | 'desc'
  state?: KeyState
  /** Any of these; `state` goes before it. */
  states?: readonly KeyState[]
  ownerId?: string
  search?: string
  now: Date
}

export type KeyWithUse = Key & KeyUse

/** By its mark it is told from one that has its number in a database put back. */
export type HeardChange = { number: number; mark: string }

export type KeyStore = {
  byId(workspaceId: string, id: string): Promise<KeyWithUse | null>
  findByHash(hash: string): Promise<FoundKey | null>
  /** Under which hashes anything was changed since that change, and the last one; null: more than is remembered. */
  changesAfter(change: HeardChange | null): Promise<{ last: HeardChange | null; hashes: string[] | null }>
  list(query: KeyQuery, page: PageRequest): Promise<Page<KeyWithUse>>
  /** How many there are in each state. */
  tally(query: KeyQuery): Promise<Record<KeyState, number>>
  named(workspaceId: string, nameOrHint: string): Promise<KeyWithUse[]>
  /** False if another key has this secret. */
  add(key: Key, secret: { hash: string }, entry: AuditEntry): Promise<boolean>
  /** Null if the key is gone or another change came first (its revision moved). */
  change(key: Key, changed: KeyChange, entry: AuditEntry): Promise<Key | null>
  /** The secrets before this one work until `overlapEndsAt`, or end now if it is null. Null as for `change`. */
  rotate(
    key: Key,
    next: { hash: string; hint: string; overlapEndsAt: Date | null },
    now: Date,
    entry: AuditEntry,
  ): Promise<Key | null>
  /** Ends the overlap. Null as for `change`. */
  finishRotation(key: Key, now: Date, entry: AuditEntry): Promise<Key | null>
  /** False if the key is gone or another change came first. */
  remove(key: Key, entry: AuditEntry): Promise<boolean>
  /** All at once, those that have one of these secrets and would still take it, or might again. Gives back which. */
  revokeBySecret(
    hashes: readonly string[],
    now: Date,
    reason: string,
    entryOf: (key: Key) => AuditEntry,
  ): Promise<Key[]>
  /** Those that were revoked for this reason since then, the latest first. */
  revokedFor(workspaceId: string, reason: string, since: Date): Promise<Key[]>
  /** Whether a key made elsewhere was ever taken in, gone or not: only then can what is not of our shape be one. */
  everImported(): Promise<boolean>
}

export type McpStore = {
  list(workspaceId: string): Promise<Mcp[]>
  /** False if the slug is taken. */
  add(mcp: Mcp, entry: AuditEntry): Promise<boolean>
  /** False if the MCP is gone or another change came first. */
  change(mcp: Mcp, entry: AuditEntry): Promise<boolean>
  remove(mcp: Mcp, entry: AuditEntry): Promise<void>
  offer(mcpId: string, environment: Environment): Promise<KnownOffer | null>
  keepOffer(mcp: Pick<Mcp, 'id' | 'revision'>, environment: Environment, known: KnownOffer): Promise<void>
}

export type RepoStore = {
  /** Of every workspace. */
  all(): Promise<Repo[]>
  list(workspaceId: string): Promise<Repo[]>
  /** False if the name is taken. */
  add(repo: Repo, entry: AuditEntry): Promise<boolean>
  /** Nothing has changed if the name is taken, or if the repo is gone or another change came first. */
  change(repo: Repo, entry: AuditEntry): Promise<'done' | 'taken' | 'changed meanwhile'>
  remove(repo: Repo, entry: AuditEntry): Promise<void>
}

export type UseStore = {
  /** When keys, and secrets that were rotated out, were last used. Whatever is gone by then is passed over. */
  note(used: readonly KeyUsed[], oldSecrets?: readonly OldSecretUsed[]): Promise<void>
}

export type ActivityStore = {
  /** All or none of a batch. */
  write(lines: readonly ActivityLine[]): Promise<void>
  list(query: { workspaceId: string; keyId?: string }, page: PageRequest): Promise<Page<ActivityLine>>
  /** Who called with a key since then. */
  callersOf(workspaceId: string, keyId: string, since: Date): Promise<Callers>
  sweep(before: Date): Promise<void>
}

/** The busiest first, twenty at most. */
export type Callers = {
  calls: number
  clients: { name: string; calls: number }[]
  addresses: { ip: string; calls: number }[]
}

/** What was answered to a request that carried an Idempotency-Key. */
export type AnswerStore = {
  /** Remembers that the request began; gives back what is known if it began before. */
  begin(caller: string, key: string, fingerprint: string, now: Date): Promise<KnownAnswer | null>
  finish(caller: string, key: string, status: number, body: string): Promise<void>
  forget(caller: string, key: string): Promise<void>
  sweep(before: Date): Promise<void>
}

export type KnownAnswer = { fingerprint: string; status: number | null; body: string | null }

export type AuditQuery = { chain: string; action?: string; subjectId?: string }

export type AuditStore = {
  /** For acts that change nothing else. */
  add(entry: AuditEntry): Promise<void>
  list(query: AuditQuery, page: PageRequest): Promise<Page<AuditLine>>
  chains(): Promise<string[]>
  lines(chain: string): AsyncIterable<AuditLine>
  head(chain: string): Promise<AuditHead | null>
}
