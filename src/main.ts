import { run } from './cli/run.ts'
import { processEnvironment } from './config.ts'

process.umask(0o077) // the database and its copies are for this user alone

process.exitCode = await run(process.argv.slice(2), {
  env: processEnvironment(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
  stdin: () => Bun.stdin.text(),
  onStop(stop) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  },
})
