import { answerTo } from './echo.ts'

const out = Bun.stdout.writer({ highWaterMark: 1 << 20 })
const decoder = new TextDecoder()
let rest = ''

for await (const chunk of Bun.stdin.stream()) {
  const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
  rest = lines.pop()!
  for (const line of lines) {
    const text = answerTo(JSON.parse(line))
    if (text !== null) out.write(`${text}\n`)
  }
  out.flush()
}
