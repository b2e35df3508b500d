import type { Config } from '../config.ts'
import type { Option } from './command.ts'

/** For commands that print a link, which do not know how the server was started. */
export const ORIGIN_OPTIONS: Record<string, Option> = {
  'public-url': { value: 'URL', about: 'The address that people use.' },
  port: { value: 'PORT', about: 'Port the server listens on.' },
}

export function originOf(config: Config): string {
  return config.public_url?.origin ?? localOrigin(config)
}

/** Where this machine reaches the server. */
export function localOrigin({ host, port, tls_cert }: Config): string {
  const reachable = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  return `${tls_cert ? 'https' : 'http'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
