import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'
import { sealedHash } from '../core/keys/format.ts'
import { type ImportedKey, importKey, readSha256 } from '../core/keys/importing.ts'
import type { Key } from '../core/keys/key.ts'
import { shown } from '../core/keys/shown.ts'
import { Refusal } from '../core/refusal.ts'
import type { FoundKey } from '../core/store.ts'
import { type Command, type Input, UsageError } from './command.ts'
import { oneOf } from './input.ts'
import { called, OPTIONS } from './key-act.ts'
import { type Row, readRows } from './key-import-file.ts'
import { ENVIRONMENTS, KEY_OPTIONS, readWishes } from './key-options.ts'
import { inWorkspace } from './open.ts'
import { printJson, printLine } from './print.ts'

export const importCommand: Command = {
  name: 'keys import',
  about: 'Take in keys that another system issued: their holders go on using them as they are.',
  options: {
    name: { value: 'NAME', about: 'Who or what uses it, 1 to 100 characters.' },
    sha256: { value: 'DIGEST', about: 'SHA-256 of the full key, as hexadecimal digits or base64.' },
    hint: { value: 'TEXT', about: 'What to recognise it by, such as its beginning and end.' },
    file: { value: 'FILE', about: 'Many at once, with these fields: CSV, or JSON; - reads standard input.' },
    env: { value: 'ENV', about: 'live, or test: reaches test targets only (live).' },
    ...KEY_OPTIONS,
    ...OPTIONS,
  },
  notes: [
    'The other options hold for every key of a file that does not say otherwise itself.',
    '  claviger keys import --name laptop --hint tp_a1b2…9z --sha256 $(printf %s "$KEY" | sha256sum | cut -c1-64)',
    '  claviger keys import --file keys.csv --expires 365d',
    'A table has in its first line: name,sha256,hint,environment,scopes,mcps,expires_at or any other field of a key.',
  ],
  async run(input) {
    const file = input.text('file')
    const common = { ...given(readWishes(input)), ...given({ environment: oneOf(input, 'env', ENVIRONMENTS) }) }
    const [name, sha256, hint] = [input.text('name'), input.text('sha256'), input.text('hint')]
    if (file !== undefined && (name ?? sha256 ?? hint) !== undefined)
      throw new UsageError('Give --file, or --name and --sha256 of one key.')
    if (file !== undefined) return importMany(input, await readRows(input, file), common)
    if (name === undefined || sha256 === undefined)
      throw new UsageError('Give --name and --sha256 of a key, or --file. See `claviger keys import --help`.')
    await inWorkspace(input, async (ctx, caller, { id }) => {
      const key = await importKey(ctx, caller, id, { ...common, name, sha256, hint })
      if (input.on('json')) printJson(input, shown(key, ctx.now()))
      else printLine(input, `${called(key)} is imported.`)
    })
  },
}

async function importMany(input: Input, rows: Row[], common: Partial<ImportedKey>): Promise<void> {
  await inWorkspace(input, async (ctx, caller, { id }) => {
    const keys: Key[] = []
    let known = 0
    for (const { at, wanted } of rows) {
      const key = await importUnlessKnown(ctx, caller, id, { ...common, ...wanted }).catch((error) => {
        if (!(error instanceof Refusal)) throw error
        throw new Refusal(
          error.code,
          `${at}: ${error.message} ${told(keys.length, known)} Mend it and import the file again.`,
        )
      })
      if (key) keys.push(key)
      else known++
    }
    if (input.on('json'))
      return printJson(
        input,
        keys.map((key) => shown(key, ctx.now())),
      )
    printLine(input, told(keys.length, known))
  })
}

/** Null if it is here already, and may work: a file that was taken in halfway can be given again. */
async function importUnlessKnown(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  wanted: ImportedKey,
): Promise<Key | null> {
  return importKey(ctx, caller, workspaceId, wanted).catch(async (error) => {
    const held = error instanceof Refusal && error.code === 'conflict' && (await holderOf(ctx, wanted.sha256))
    if (!held) throw error
    await checkIsSame(ctx, held, workspaceId)
    return null
  })
}

function holderOf(ctx: Context, sha256: string): Promise<FoundKey | null> {
  return ctx.store.keys.findByHash(sealedHash(readSha256(sha256), ctx.secrets))
}

/** The operator may be told what no other door tells: where a key is held. */
async function checkIsSame(ctx: Context, held: FoundKey, workspaceId: string): Promise<void> {
  const { endsAt } = held.secret
  if (held.workspaceId !== workspaceId) {
    const where = await ctx.store.workspaces.byId(held.workspaceId)
    throw new Refusal(
      'conflict',
      `This key is held by ${called(held)} of the workspace ${where?.slug ?? held.workspaceId}. Delete it there first.`,
    )
  }
  if (held.revokedAt)
    throw new Refusal('conflict', `${called(held)} was revoked. Delete it first, if it is to work again.`)
  if (endsAt && endsAt <= ctx.now())
    throw new Refusal('conflict', `This secret of ${called(held)} was rotated out. Take it out of the file.`)
}

function told(imported: number, known: number): string {
  const before = known > 0 ? `, ${known} ${known === 1 ? 'was' : 'were'} known already` : ''
  return `${imported} ${imported === 1 ? 'key is' : 'keys are'} imported${before}.`
}

/** What was not typed must not hide what a file says. */
function given<T extends object>(wishes: T): Partial<T> {
  return Object.fromEntries(Object.entries(wishes).filter(([, wish]) => wish !== undefined)) as Partial<T>
}
