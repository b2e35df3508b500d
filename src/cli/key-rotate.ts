import { keyNamed } from '../core/keys/named.ts'
import { finishRotation, rotate } from '../core/keys/rotation.ts'
import { shown } from '../core/keys/shown.ts'
import { type Command, type Input, UsageError } from './command.ts'
import { act, called, lastUse, NAMING, OPTIONS, withKey } from './key-act.ts'
import { printJson, printLine, remark } from './print.ts'

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

export const rotateCommand: Command = {
  name: 'keys rotate',
  args: 'KEY',
  about: 'Give a key a new secret. It is printed once; the one before works until the overlap ends.',
  options: {
    overlap: { value: 'SPAN', about: 'How long both work: 90m, 24h, 7d, at most 30d; 0 ends the older one now (1d).' },
    ...OPTIONS,
  },
  notes: [NAMING, '  claviger keys rotate laptop --overlap 7d', '  claviger keys finish-rotation laptop'],
  run(input) {
    const overlap = readOverlap(input)
    return withKey(input, async (ctx, caller, { workspaceId, id }) => {
      const { fullKey } = await rotate(ctx, caller, workspaceId, id, overlap)
      const key = await keyNamed(ctx, workspaceId, id)
      const { id: _, ...rest } = shown(key, ctx.now())
      if (input.on('json')) return printJson(input, { id, key: fullKey.reveal(), ...rest })
      printLine(input, fullKey.reveal())
      const until = rest.rotation ? `works until ${rest.rotation.overlap_ends_at}` : 'is refused from now on'
      remark(
        input.world,
        `${called(key)} is rotated; the key before ${until}. ${lastUse(key)} Keep the new key now: it will not be shown again.`,
      )
    })
  },
}

export const finishCommand: Command = {
  name: 'keys finish-rotation',
  args: 'KEY',
  about: 'End the overlap of a rotation: only the newest secret of the key works.',
  options: OPTIONS,
  notes: [NAMING, '`keys show` says when the older secret was last used.'],
  run: (input) => act(input, finishRotation, 'has one secret'),
}

function readOverlap(input: Input): number | undefined {
  const text = input.text('overlap')
  if (text === undefined) return undefined
  const span = /^(\d{1,9})([smhd]?)$/.exec(text)
  if (!span) throw new UsageError(`--overlap is "${text}". Give a span such as 90m, 24h or 7d, or 0.`)
  return Number(span[1]) * SECONDS[span[2] || 's']!
}
