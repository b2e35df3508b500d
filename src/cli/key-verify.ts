import { isIP } from 'node:net'
import type { Context } from '../core/context.ts'
import { asPasted } from '../core/keys/format.ts'
import { refusalOfUse, type Use } from '../core/keys/reading.ts'
import { keyRing } from '../core/keys/ring.ts'
import { checkScopes } from '../core/keys/scopes.ts'
import { shown } from '../core/keys/shown.ts'
import { refusalOf, type Verdict, verify, whyNone } from '../core/keys/verify.ts'
import { Secret } from '../core/secret.ts'
import { workspaceNamed } from '../core/workspaces/workspaces.ts'
import { type Command, type Input, JSON_OPTION, UsageError } from './command.ts'
import { withContext } from './open.ts'
import { printJson, printLine, remark } from './print.ts'
import { readSecret } from './secrets.ts'

export const verifyCommand: Command = {
  name: 'keys verify',
  args: '[-]',
  about: 'Check a key from standard input; exit code 1 if it is refused.',
  options: {
    'key-file': { value: 'FILE', about: 'File that holds the key; - reads standard input.' },
    workspace: { value: 'NAME', about: 'Only keys of this workspace are known (of any).' },
    mcp: { value: 'SLUG', about: 'May it reach this MCP?' },
    tool: { value: 'TOOL', about: 'May it call this tool, of --mcp or else of any MCP it reaches?' },
    scope: { value: 'SCOPE', about: 'Does it have this scope?' },
    ip: { value: 'ADDRESS', about: 'May it be used from this address?' },
    ...JSON_OPTION,
  },
  notes: ['Prints `valid`, or the code of the refusal.', '  claviger keys verify < key.txt'],
  async run(input) {
    const use = readUse(input)
    const fullKey = await readKey(input)
    return withContext(input, async (ctx) => {
      const verdict = await judged(ctx, input, fullKey)
      const refusal = verdict.ok ? refusalOfUse(verdict.key, use) : refusalOf(verdict)
      const key = verdict.key && (await ctx.store.keys.byId(verdict.key.workspaceId, verdict.key.id))
      if (input.on('json')) {
        const shownKey = key && shown(key, ctx.now())
        printJson(input, { valid: refusal === null, code: refusal?.code ?? 'ok', key: shownKey })
      } else printLine(input, refusal?.code ?? 'valid')
      if (refusal) remark(input.world, refusal.message)
      return refusal ? 1 : 0
    })
  },
}

/** What the key would be used for; of what is not said nothing is judged. */
function readUse(input: Input): Use {
  const scope = input.text('scope')
  const ip = input.text('ip')
  if (scope !== undefined) checkScopes([scope], 'scope')
  if (ip !== undefined && isIP(ip) === 0) throw new UsageError(`--ip is "${ip}". Give an address such as 203.0.113.7.`)
  return { mcp: input.text('mcp'), tool: input.text('tool'), scope, ip }
}

async function readKey(input: Input): Promise<Secret> {
  const [argument] = input.args
  if (argument !== undefined && argument !== '-')
    throw new UsageError(
      'A key given as an argument stands in the process list. Send it on standard input, or name a file: --key-file FILE.',
    )
  const file = input.text('key-file')
  if (file !== undefined && argument !== undefined) throw new UsageError('Give --key-file or -, not both.')
  if (file === undefined && input.world.canAsk) {
    const typed = await input.world.ask('Key: ')
    if (typed.trim() === '') throw new UsageError('No key was typed.')
    return new Secret(typed)
  }
  return readSecret(input, file ?? '-', 'key')
}

/** With --workspace, a key of another is as unknown as one that never was. */
async function judged(ctx: Context, input: Input, fullKey: Secret): Promise<Verdict> {
  const name = input.text('workspace')
  const workspace = name === undefined ? null : await workspaceNamed(ctx, name)
  const [ring, presented] = [keyRing(ctx), asPasted(fullKey.reveal())]
  const verdict = await verify(ring, ctx.secrets, presented, ctx.now())
  if (workspace && verdict.key && verdict.key.workspaceId !== workspace.id)
    return { ok: false, why: await whyNone(ring, presented), key: null }
  return verdict
}
