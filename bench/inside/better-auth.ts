import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Verifications a second of Better Auth's API keys, in memory; run in the folder where it was installed. */
const [folder, seconds] = process.argv.slice(2) as [string, string]

type Verify = (asked: { body: { key: string } }) => Promise<{ valid: boolean }>
type Auth = { api: { verifyApiKey: Verify; createApiKey(asked: object): Promise<{ key: string }> } }

const { betterAuth } = await installed('better-auth')
const { memoryAdapter } = await installed('better-auth/adapters/memory')
const { apiKey } = await installed('@better-auth/api-key')
const tables = { user: [], session: [], account: [], verification: [], apikey: [] }
const auth = betterAuth!({
  database: memoryAdapter!(tables),
  secret: 'a secret for a benchmark of thirty-two characters',
  baseURL: 'http://127.0.0.1',
  telemetry: { enabled: false },
  logger: { disabled: true },
  emailAndPassword: { enabled: true },
  plugins: [apiKey!({ rateLimit: { enabled: false } })],
}) as Auth & { api: { signUpEmail(asked: object): Promise<{ user: { id: string } }> } }

const { user } = await auth.api.signUpEmail({ body: { email: 'a@example.com', password: 'some password', name: 'A' } })
const { key } = await auth.api.createApiKey({ body: { name: 'bench', userId: user.id } })

await rate(0.3)
process.stdout.write(JSON.stringify({ perSecond: await rate(Number(seconds)) }))

async function rate(wanted: number): Promise<number> {
  const startedAt = performance.now()
  let done = 0
  while (performance.now() < startedAt + wanted * 1000) {
    const { valid } = await auth.api.verifyApiKey({ body: { key } })
    if (!valid) throw new Error('Better Auth refuses its own key')
    done++
  }
  return done / ((performance.now() - startedAt) / 1000)
}

async function installed(name: string): Promise<Record<string, (...given: unknown[]) => unknown>> {
  const path = createRequire(join(folder, 'package.json')).resolve(name)
  return import(pathToFileURL(path).href)
}
