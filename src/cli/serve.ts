import { envName, type Name, VARIABLES } from '../config.ts'
import type { Actor } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
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

const secretVariables = Object.entries(VARIABLES)
  .filter(([, { secret }]) => secret)
  .map(([name]) => envName(name as Name))

export const serveCommands: Command[] = [
  {
    name: 'serve',
    about: 'Start the server.',
    options: settingOptions,
    notes: [
      'Each is also an environment variable (--log-level: CLAVIGER_LOG_LEVEL) and a name in the configuration file',
      '(log_level). Secrets come from the environment, or from a file with _FILE at the end of the name:',
      `  ${secretVariables.join('\n  ')}`,
    ],
    run: serve,
  },
]

async function serve(input: Input): Promise<void> {
  const { settings, world } = input
  const { config } = settings
  const log = createLog({ level: config.log_level, pretty: world.isTerminal, write: world.out, now: world.now })
  for (const warning of settings.warnings) log.warn(warning)
  const stop = new Promise<void>((resolve) => world.onStop(resolve)) // from now on: a start can be stopped too
  const { startApp } = await import('../app.ts') // the other commands need no web server
  const app = await startApp({ config, log, now: world.now })
  try {
    if (!(await app.ctx.store.setup.done()))
      await offerSetUp(input, app.ctx, config.public_url?.origin ?? app.origin, log)
    log.info('Claviger is ready', { url: app.origin, data_dir: config.data_dir })
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
  ctx: Context,
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
