import { disable, edit, enable, revoke } from '../core/keys/lifecycle.ts'
import { type Command, type Input, UsageError } from './command.ts'
import { act, NAMING, OPTIONS } from './key-act.ts'
import { createCommand } from './key-create.ts'
import { deleteCommand } from './key-delete.ts'
import { impactCommand } from './key-impact.ts'
import { importCommand } from './key-import.ts'
import { listCommand } from './key-list.ts'
import { EDIT_OPTIONS, readWishes } from './key-options.ts'
import { finishCommand, rotateCommand } from './key-rotate.ts'
import { showCommand } from './key-show.ts'
import { verifyCommand } from './key-verify.ts'

export const keyCommands: Command[] = [
  createCommand,
  listCommand,
  showCommand,
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
  rotateCommand,
  finishCommand,
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
  deleteCommand,
  impactCommand,
  importCommand,
  verifyCommand,
]

async function change(input: Input): Promise<void> {
  const wanted = readWishes(input)
  if (Object.values(wanted).every((wish) => wish === undefined))
    throw new UsageError('Say what to change, such as --name NAME or --expires 90d. See `claviger keys edit --help`.')
  await act(input, (ctx, caller, workspaceId, id) => edit(ctx, caller, workspaceId, id, wanted), 'is changed')
}
