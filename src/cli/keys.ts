import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'
import { wellFormed } from '../core/keys/format.ts'
import { type Key, type KeyState, stateOf } from '../core/keys/key.ts'
import { disable, edit, enable, issue, removeKey, revoke } from '../core/keys/lifecycle.ts'
import { keyNamed } from '../core/keys/named.ts'
import { shown } from '../core/keys/shown.ts'
import { Refusal } from '../core/refusal.ts'
import type { KeyWithUse } from '../core/store.ts'
import { type Command, type Input, JSON_OPTION, UsageError, WORKSPACE_OPTION } from './command.ts'
import { everyKey } from './every-key.ts'
import { oneOf } from './input.ts'
import { EDIT_OPTIONS, ENVIRONMENTS, KEY_OPTIONS, readWishes } from './key-options.ts'
import { verifyCommand } from './key-verify.ts'
import { inWorkspace } from './open.ts'
import { printFields, printJson, printLine, printTable, remark } from './print.ts'

const OPTIONS = { ...WORKSPACE_OPTION, ...JSON_OPTION }
const STATES: KeyState[] = ['active', 'scheduled', 'expired', 'disabled', 'revoked']
const NAMING = 'KEY is the id of a key, its hint or its exact name.'

export const keyCommands: Command[] = [
  {
    name: 'keys create',
    about: 'Issue a key. The full key is printed once and cannot be shown again.',
    options: {
      name: { value: 'NAME', needed: true, about: 'Who or what will use it, 1 to 100 characters.' },
      env: { value: 'ENV', about: 'live, or test: reaches test targets only (live).' },
      ...KEY_OPTIONS,
      ...OPTIONS,
    },
    notes: [
      '  claviger keys create --name laptop --expires 90d',
      '  claviger keys create --name ci --env test --mcp docs:search,get_doc --ip 10.0.0.0/8',
      '  KEY=$(claviger keys create --name script)',
    ],
    run: create,
  },
  {
    name: 'keys list',
    about: 'List the keys, newest first.',
    options: {
      env: { value: 'ENV', about: 'Only live or test keys.' },
      status: { value: 'STATUS', about: `Only those that are ${STATES.join(', ')}.` },
      search: { value: 'TEXT', about: 'Only those with this in name, hint or description.' },
      ...OPTIONS,
    },
    run: list,
  },
  {
    name: 'keys show',
    args: 'KEY',
    about: 'Show everything about a key but the key itself.',
    options: OPTIONS,
    notes: [NAMING],
    run: (input) =>
      withKey(input, async (ctx, _caller, key) => {
        if (input.on('json')) printJson(input, shown(key, ctx.now()))
        else printFields(input, fieldsOf(key, ctx.now()))
      }),
  },
  {
    name: 'keys edit',
    args: 'KEY',
    about: 'Change what a key may do. Its clients notice on their next request.',
    options: { name: { value: 'NAME', about: 'Another name.' }, ...EDIT_OPTIONS, ...OPTIONS },
    notes: [NAMING, '  claviger keys edit laptop --rate 60 --expires 2027-03-31'],
    run: change,
  },
  {
    name: 'keys disable',
    args: 'KEY',
    about: 'Refuse a key until it is enabled again.',
    options: OPTIONS,
    notes: [NAMING],
    run: (input) => act(input, disable, 'is disabled'),
  },
  {
    name: 'keys enable',
    args: 'KEY',
    about: 'Accept a disabled key again.',
    options: OPTIONS,
    notes: [NAMING],
    run: (input) => act(input, enable, 'is enabled'),
  },
  {
    name: 'keys revoke',
    args: 'KEY',
    about: 'Refuse a key for good. It stays listed.',
    options: { reason: { value: 'TEXT', about: 'Why, for those who ask later.' }, ...OPTIONS },
    notes: [NAMING],
    run: (input) =>
      act(
        input,
        (ctx, caller, workspaceId, id) => revoke(ctx, caller, workspaceId, id, input.text('reason') ?? null),
        'is revoked',
      ),
  },
  {
    name: 'keys delete',
    args: 'KEY',
    about: 'Delete a key for good. What it did stays in audit and usage.',
    options: { yes: { about: 'Also if it was used within the last 24 hours.' }, ...OPTIONS },
    notes: [NAMING],
    run: (input) =>
      withKey(input, async (ctx, caller, key) => {
        const deleted = await removeKey(ctx, caller, key.workspaceId, key.id, { confirmed: input.on('yes') }).catch(
          sayHow(key),
        )
        if (input.on('json')) printJson(input, { deleted: shown(deleted, ctx.now()) })
        else printLine(input, `${called(deleted)} is deleted.`)
      }),
  },
  verifyCommand,
]

async function create(input: Input): Promise<void> {
  const wanted = {
    ...readWishes(input),
    name: input.text('name')!,
    environment: oneOf(input, 'env', ENVIRONMENTS),
  }
  await inWorkspace(input, async (ctx, caller, workspace) => {
    const { key, fullKey } = await issue(ctx, caller, workspace.id, wanted)
    const { id, ...rest } = shown(key, ctx.now())
    if (input.on('json')) return printJson(input, { id, key: fullKey.reveal(), ...rest })
    printLine(input, fullKey.reveal())
    const end = key.expiresAt ? `expires ${key.expiresAt.toISOString()}` : 'never expires'
    remark(input.world, `${called(key)} ${end}. Keep the key now: it will not be shown again.`)
  })
}

async function list(input: Input): Promise<void> {
  const environment = oneOf(input, 'env', ENVIRONMENTS)
  const state = oneOf(input, 'status', STATES)
  const search = input.text('search')
  await inWorkspace(input, async (ctx, caller, { id: workspaceId }) => {
    const keys = await Array.fromAsync(everyKey(ctx, caller, { workspaceId, environment, state, search }))
    const now = ctx.now()
    if (input.on('json'))
      return printJson(
        input,
        keys.map((key) => shown(key, now)),
      )
    const narrowed = environment ?? state ?? search
    printTable(
      input,
      ['ID', 'NAME', 'ENV', 'STATUS', 'HINT', 'EXPIRES', 'LAST USED'],
      keys.map((key) => [
        key.id,
        key.name,
        key.environment,
        stateOf(key, now),
        key.hint,
        key.expiresAt,
        key.lastUsedAt,
      ]),
      narrowed ? 'No key fits.' : 'There is no key yet. Issue one: claviger keys create --name NAME',
    )
  })
}

async function change(input: Input): Promise<void> {
  const wanted = readWishes(input)
  if (Object.values(wanted).every((wish) => wish === undefined))
    throw new UsageError('Say what to change, such as --name NAME or --expires 90d. See `claviger keys edit --help`.')
  await act(input, (ctx, caller, workspaceId, id) => edit(ctx, caller, workspaceId, id, wanted), 'is changed')
}

type Act = (ctx: Context, caller: Caller, workspaceId: string, id: string) => Promise<Key>

async function act(input: Input, work: Act, outcome: string): Promise<void> {
  await withKey(input, async (ctx, caller, key) => {
    await work(ctx, caller, key.workspaceId, key.id)
    const after = await keyNamed(ctx, key.workspaceId, key.id)
    if (input.on('json')) return printJson(input, shown(after, ctx.now()))
    printLine(input, `${called(after)} ${outcome}. ${lastUse(after)}`)
  })
}

function withKey(input: Input, work: (ctx: Context, caller: Caller, key: KeyWithUse) => Promise<void>): Promise<void> {
  const name = input.args[0]!
  if (wellFormed(name.trim()))
    throw new UsageError(
      'That is a full key, which now stands in the process list and the history of your shell. Name it by id, hint or name.',
    )
  return inWorkspace(input, async (ctx, caller, { id }) => work(ctx, caller, await keyNamed(ctx, id, name)))
}

/** The core's sentence cannot know how this door confirms. */
function sayHow(key: KeyWithUse): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Refusal) || error.code !== 'recently_used') throw error
    throw new Refusal(
      'recently_used',
      `${called(key)} is in use: ${lastUse(key)} Revoke it instead, or add --yes to delete it all the same.`,
    )
  }
}

function called({ name, hint }: Key): string {
  return `${name} (${hint})`
}

function lastUse({ lastUsedAt, lastUsedIp, lastUsedClient }: KeyWithUse): string {
  if (!lastUsedAt) return 'It was never used.'
  const from = [lastUsedIp && ` from ${lastUsedIp}`, lastUsedClient && ` by ${lastUsedClient}`].filter(Boolean).join('')
  return `It was last used ${lastUsedAt.toISOString()}${from}.`
}

function fieldsOf(key: KeyWithUse, now: Date): [string, string | number | Date | null][] {
  const { mcpAccess } = key
  return [
    ['Name', key.name],
    ['Id', key.id],
    ['Hint', key.hint],
    ['Status', [stateOf(key, now), key.revokedReason].filter(Boolean).join(': ')],
    ['Description', key.description],
    ['Environment', key.environment],
    ['Type', key.type],
    ['Scopes', key.scopes.join(' ')],
    [
      'MCPs',
      mcpAccess.mode === 'all'
        ? 'all, those added later too'
        : mcpAccess.mcps.map(({ slug, tools }) => (tools ? `${slug}:${tools.join(',')}` : slug)).join(' '),
    ],
    ['Addresses', key.ipAllow.join(' ') || 'any'],
    ['Requests a minute', key.rateLimitPerMinute],
    ['Calls a day', key.quotaPerDay ?? 'no limit'],
    ['In URLs', key.allowInUrl ? 'allowed' : 'refused'],
    ['Not before', key.notBefore],
    ['Expires', key.expiresAt ?? 'never'],
    ['Created', `${key.createdAt.toISOString()} by ${key.createdBy.label}`],
    ['Last used', lastUse(key)],
    ['Requests', key.requestCount],
  ]
}
