import { removeKey } from '../core/keys/lifecycle.ts'
import { shown } from '../core/keys/shown.ts'
import { Refusal } from '../core/refusal.ts'
import type { KeyWithUse } from '../core/store.ts'
import type { Command } from './command.ts'
import { called, lastUse, NAMING, OPTIONS, withKey } from './key-act.ts'
import { printJson, printLine } from './print.ts'

export const deleteCommand: Command = {
  name: 'keys delete',
  args: 'KEY',
  about: 'Delete a key for good. What it did stays in audit and usage.',
  options: { yes: { about: 'Also if it was used within the last 24 hours.' }, ...OPTIONS },
  notes: [NAMING, 'Who uses it: `claviger keys impact KEY`.'],
  run: (input) =>
    withKey(input, async (ctx, caller, key) => {
      const deleted = await removeKey(ctx, caller, key.workspaceId, key.id, { confirmed: input.on('yes') }).catch(
        sayHow(key),
      )
      if (input.on('json')) printJson(input, { deleted: shown(deleted, ctx.now()) })
      else printLine(input, `${called(deleted)} is deleted.`)
    }),
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
