import { stdioWire } from '../../../src/upstreams/stdio.ts'

/** A program that holds a stdio server with a grandchild, until it is killed. Says so once the server has answered. */
const [runDir, command, ...args] = process.argv.slice(2)
const target = { kind: 'stdio' as const, command: command!, args, env: {}, cwd: null }
const wire = await stdioWire(target, { environment: process.env, runDir: runDir! })({
  message: () => console.log('ready'),
  failed: () => {},
  closed: () => console.log('closed'),
})
wire.send('{"jsonrpc":"2.0","id":1,"method":"echo"}', { id: 1 })
process.on('SIGUSR2', () => process.exit(0)) // without closing anything
setInterval(() => {}, 60_000)
