import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

type Auth = {
  api: {
    signUpEmail(asked: object): Promise<{ user: { id: string } }>
    createApiKey(asked: object): Promise<{ key: string }>
    verifyApiKey(asked: { body: { key: string } }): Promise<{ valid: boolean }>
  }
}

/** One verification by Better Auth's API keys, everything in memory, as installed in this folder. */
export async function betterAuthIn(folder: string): Promise<() => Promise<void>> {
  const installed = async (name: string): Promise<Record<string, (...given: unknown[]) => unknown>> =>
    import(pathToFileURL(createRequire(join(folder, 'package.json')).resolve(name)).href)
  const { betterAuth } = await installed('better-auth')
  const { memoryAdapter } = await installed('better-auth/adapters/memory')
  const { apiKey } = await installed('@better-auth/api-key')
  const auth = betterAuth!({
    database: memoryAdapter!({ user: [], session: [], account: [], verification: [], apikey: [] }),
    secret: 'a secret for a benchmark of thirty-two characters',
    baseURL: 'http://127.0.0.1',
    telemetry: { enabled: false },
    logger: { disabled: true },
    emailAndPassword: { enabled: true },
    plugins: [apiKey!({ rateLimit: { enabled: false } })],
  }) as Auth
  const person = { email: 'bench@example.com', password: 'correct horse battery staple', name: 'Bench' }
  const { user } = await auth.api.signUpEmail({ body: person })
  const { key } = await auth.api.createApiKey({ body: { name: 'bench', userId: user.id } })
  return async () => {
    const { valid } = await auth.api.verifyApiKey({ body: { key } })
    if (!valid) throw new Error('Better Auth refuses its own key')
  }
}
