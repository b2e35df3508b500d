import { parseArgs } from 'node:util'

export const PARTS = ['calls', 'gateways', 'keys', 'lists', 'memory', 'start', 'search'] as const
export type Part = (typeof PARTS)[number]

export type Options = {
  parts: Part[]
  /** Rows of `calls` whose name contains one of these; empty means all. */
  rows: string[]
  rounds: number
  seconds: number
  warmUpSeconds: number
  /** To each way before the first round. */
  warmingCalls: number
  calls: number
  earlyCalls: number
  /** Before memory is read at rest. */
  restMs: number
  manyKeys: number
  upstreams: number
  /** Of documents. */
  sections: number
  /** An upstream that never answers holds up the first list for seconds: too long for a smoke run. */
  silentToo: boolean
  executable: string | null
  peers: boolean
  json: string | null
}

const HELP = `npm run bench -- [options]

  --quick            a smoke run of some seconds; its figures mean nothing
  --only NAME        one part (${PARTS.join(', ')}) or the rows of calls whose name contains NAME; may be repeated
  --rounds N         rounds over all variants, medians of which are shown (5)
  --seconds S        measured for each variant in each round (1)
  --calls N          calls after which memory is compared with that after 10,000 (100000)
  --executable       measure dist/claviger instead of the sources
  --peers            install others' programs into temporary folders and measure them too
  --json FILE        write every figure to FILE
`

/** Null once help was printed. */
export function readOptions(argv: string[]): Options | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      calls: { type: 'string' },
      executable: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return null
  }
  const parts = values.only.filter((name): name is Part => (PARTS as readonly string[]).includes(name))
  const rows = values.only.filter((name) => !(PARTS as readonly string[]).includes(name))
  const wanted =
    values.only.length === 0 ? [...PARTS] : rows.length > 0 ? [...new Set([...parts, 'calls' as const])] : parts
  const { quick } = values
  const seconds = positive('--seconds', values.seconds, quick ? 0.03 : 1)
  return {
    parts: wanted,
    rows,
    rounds: Math.ceil(positive('--rounds', values.rounds, quick ? 1 : 5)),
    seconds,
    warmingCalls: quick ? 50 : 20_000,
    warmUpSeconds: quick ? 0.01 : 0.3,
    calls: Math.ceil(positive('--calls', values.calls, quick ? 1000 : 100_000)),
    earlyCalls: quick ? 500 : 10_000,
    restMs: quick ? 50 : 4000,
    manyKeys: quick ? 1000 : 100_000,
    upstreams: quick ? 10 : 100,
    sections: quick ? 500 : 100_000,
    silentToo: !quick,
    executable: values.executable ? 'dist/claviger' : null,
    peers: values.peers,
    json: values.json ?? null,
  }
}

function positive(name: string, text: string | undefined, fallback: number): number {
  const number = text === undefined ? fallback : Number(text)
  if (!(number > 0)) throw new Error(`${name} is "${text}". Give it a number above 0.`)
  return number
}
