import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'
import { wellFormed } from '../core/keys/format.ts'
import type { Key } from '../core/keys/key.ts'
import { keyNamed } from '../core/keys/named.ts'
import { shown } from '../core/keys/shown.ts'
import type { KeyWithUse } from '../core/store.ts'
import { type Input, JSON_OPTION, UsageError, WORKSPACE_OPTION } from './command.ts'
import { inWorkspace } from './open.ts'
import { printJson, printLine } from './print.ts'

export const OPTIONS = { ...WORKSPACE_OPTION, ...JSON_OPTION }
export const NAMING = 'KEY is the id of a key, its hint or its exact name.'

type Act = (ctx: Context, caller: Caller, workspaceId: string, id: string) => Promise<Key>

/** Does something to the key that was named, and says how it is now. */
export async function act(input: Input, work: Act, outcome: string): Promise<void> {
  await withKey(input, async (ctx, caller, key) => {
    await work(ctx, caller, key.workspaceId, key.id)
    const after = await keyNamed(ctx, key.workspaceId, key.id)
    if (input.on('json')) return printJson(input, shown(after, ctx.now()))
    printLine(input, `${called(after)} ${outcome}. ${lastUse(after)}`)
  })
}

export function withKey(
  input: Input,
  work: (ctx: Context, caller: Caller, key: KeyWithUse) => Promise<void>,
): Promise<void> {
  const name = input.args[0]!
  if (wellFormed(name.trim()))
    throw new UsageError(
      'That is a full key, which now stands in the process list and the history of your shell. Name it by id, hint or name.',
    )
  return inWorkspace(input, async (ctx, caller, { id }) => work(ctx, caller, await keyNamed(ctx, id, name)))
}

export function called({ name, hint }: Key): string {
  return `${name} (${hint})`
}

export function lastUse({ lastUsedAt, lastUsedIp, lastUsedClient }: KeyWithUse): string {
  if (!lastUsedAt) return 'It was never used.'
  const from = [lastUsedIp && ` from ${lastUsedIp}`, lastUsedClient && ` by ${lastUsedClient}`].filter(Boolean).join('')
  return `It was last used ${lastUsedAt.toISOString()}${from}.`
}
