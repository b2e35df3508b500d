import { run } from './cli/run.ts'
import { askUnseen } from './cli/terminal.ts'
import { processEnvironment } from './config.ts'

process.umask(0o077) // the database and its copies are for this user alone

// neither a reader that left (`| head`) nor a full disk under the log ends a server; what was lost shows in the exit code
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: { code?: string }) => {
    if (code !== 'EPIPE') process.exitCode = 1
  })

const exitCode = await run(process.argv.slice(2), {
  env: processEnvironment(),
  now: () => new Date(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
  canAsk: process.stdin.isTTY === true,
  ask: (question) => askUnseen(question, process.stdin, (text) => void process.stderr.write(text)),
  stdin: () => Bun.stdin.text(),
  onStop(stop) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
  },
})
process.exitCode ||= exitCode
