import { startApp } from '../app.ts'
import { VARIABLES } from '../config.ts'
import type { Actor } from '../core/audit.ts'
import { newSetupLink, setUp } from '../core/workspaces/setup.ts'
import { createLog, type Log } from '../log.ts'
import type { Command, Input, Option } from './command.ts'

const SYSTEM: Actor = { kind: 'system', id: null, label: 'start-up', address: null, requestId: null }

/** Every setting but the secrets, which a process list would show. */
const settingOptions: Record<string, Option> = Object.fromEntries(
  Object.entries(VARIABLES)
    .filter(([, { secret }]) => !secret)
    .map(([name, { about }]) => [name.replaceAll('_', '-'), { value: 'VALUE', about }]),
)

export const serveCommands: Command[] = [
  { name: 'serve', about: 'Start the server.', options: settingOptions, run: serve },
]

async function serve(input: Input): Promise<void> {
  const { settings, world } = input
  const { config } = settings
  const log = createLog({ level: config.log_level, pretty: world.isTerminal, write: world.out })
  for (const warning of settings.warnings) log.warn(warning)
  const stop = new Promise<void>((resolve) => world.onStop(resolve)) // from now on: a start can be stopped too
  const app = await startApp({ config, log })
  try {
    log.info('Claviger is ready', { url: app.origin, data_dir: config.data_dir })
    if (!(await app.ctx.store.setup.done()))
      await offerSetUp(input, app.ctx, config.public_url?.origin ?? app.origin, log)
    await stop
    log.info('Shutting down')
  } finally {
    await app.close()
  }
  log.info('Stopped')
}

/** An owner from the environment, or a link on the terminal: never default credentials, never "first visitor wins". */
async function offerSetUp(
  { settings: { config }, world }: Input,
  ctx: Parameters<typeof setUp>[0],
  origin: string,
  log: Log,
): Promise<void> {
  if (config.owner_email) {
    if (!config.owner_password)
      throw new Error('CLAVIGER_OWNER_EMAIL needs a password: set CLAVIGER_OWNER_PASSWORD_FILE.')
    const { user } = await setUp(ctx, SYSTEM, null, {
      email: config.owner_email,
      name: config.owner_email.split('@')[0]!,
      password: config.owner_password,
      workspace: 'Main',
    })
    return log.info('The owner was created', { email: user.email })
  }
  const token = await newSetupLink(ctx, SYSTEM)
  // To stderr as it is: a log line would hide the link, as it hides every secret.
  world.err(
    `\n  Open this link to create the owner's account (once, within 30 minutes):\n\n    ${origin}/admin/setup/${token.reveal()}\n\n`,
  )
}
