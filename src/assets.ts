import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In the executable, folders lie at the virtual root under their last name; in a checkout, where git has them. */
const here = dirname(fileURLToPath(import.meta.url))
const embedded = here.startsWith('/$bunfs') || here.startsWith('B:\\~BUN')
const root = embedded ? here : join(here, '..')

export function viewsFolder(): string {
  return join(root, 'views')
}

export function staticFolder(): string {
  return join(root, 'static')
}

export function migrationsFolder(): string {
  return embedded ? join(root, 'migrations') : join(root, 'src/store/migrations')
}

export function manualFolder(): string {
  return join(root, 'docs')
}

export function isExecutable(): boolean {
  return embedded
}

/** Undefined in a checkout, where the package finds its own. */
export function nativeAddon(_name: 'better-sqlite3'): string | undefined {
  return undefined
}

export function assetsAreThere(): boolean {
  return existsSync(migrationsFolder()) && existsSync(viewsFolder())
}
