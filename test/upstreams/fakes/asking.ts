import { httpExchange } from '../../../src/upstreams/exchange.ts'
import { addressGuard } from '../../../src/upstreams/guard.ts'
import { Stop } from '../../../src/upstreams/stop.ts'

/** Asks twice over one connection, and then has nothing more to do: it must live until then, and no longer. */
const [url] = process.argv.slice(2)
const ask = httpExchange(
  { kind: 'http', url: url!, headers: {} },
  { environment: {}, guard: addressGuard({ allowPrivate: true }) },
)
const asked = async (body: string) => (await ask({ body, signal: new Stop() })).text()
async function askTwice(): Promise<void> {
  process.stdout.write(`${await asked('"one"')} `)
  process.stdout.write(`${await asked('"two"')} `)
  setTimeout(() => process.stdout.write('still here'), 3_000).unref()
}
void askTwice() // awaited by the module, it would hold the process by itself
