import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A stdio server that misbehaves in the way its first argument names, and answers everything else with an echo. */
const [manner] = process.argv.slice(2)
const nested = '['.repeat(60_000) + ']'.repeat(60_000)
const say = (text: string) => process.stdout.write(text)
const answer = (id: unknown, result: object) => say(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)

if (manner === 'noisy') {
  say('Installing dependencies...\n\n[info] ready\n{half a thought\n')
  process.stderr.write('warming up\n')
}
if (manner === 'deaf-to-sigterm') process.on('SIGTERM', () => process.stderr.write('not listening\n'))
if (manner === 'fork') {
  const grandchild = spawn('sleep', ['300'], { stdio: 'ignore' })
  process.stderr.write(`grandchild ${grandchild.pid}\n`)
}
if (manner === 'prints-its-secret')
  process.stderr.write(`the token is ${process.env.API_TOKEN ?? process.argv.at(-1)}\n`)

const lines = createInterface({ input: process.stdin })
lines.on('close', () => {
  if (manner !== 'deaf-to-sigterm' && manner !== 'stays') process.exit(0)
})
if (manner === 'deaf-to-sigterm' || manner === 'stays') setInterval(() => {}, 60_000)

lines.on('line', (line) => {
  const { id, method, params } = JSON.parse(line) as { id?: number; method: string; params?: { bytes?: number } }
  if (method === 'environment') answer(id, { env: process.env, argv: process.argv })
  else if (method === 'crash') process.exit(7)
  else if (method === 'last-words')
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n`, () => process.exit(0))
  else if (method === 'never') return
  else if (method === 'deep') {
    say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"deep":${nested}}}\n`)
    answer(id, {})
  } else if (method === 'deep-answer') say(`{"jsonrpc":"2.0","result":{"deep":${nested}},"id":${id}}\n`)
  else if (method === 'half') say('{"jsonrpc":"2.0","id":')
  else if (method === 'large')
    say(`{"jsonrpc":"2.0","id":${id},"result":{"text":"${'x'.repeat(params?.bytes ?? 0)}"}}\n`)
  else if (method === 'piecemeal')
    sayInPieces(`${JSON.stringify({ jsonrpc: '2.0', id, result: { text: 'grüße 🗝️ 日本' } })}\n`)
  else if (id !== undefined) answer(id, { method, params })
})

/** Byte by byte, so that characters are split over chunks. */
function sayInPieces(text: string): void {
  const bytes = Buffer.from(text)
  let at = 0
  const next = () => {
    if (at < bytes.length) process.stdout.write(bytes.subarray(at++, at), next)
  }
  next()
}
