import { bearer, type Target } from './variant.ts'

/** For clients that only start programs: ours, which needs nothing else on the machine. */
export function bridged({ url, key }: Target): object {
  return { command: 'claviger', args: ['bridge', url], env: { CLAVIGER_KEY: key } }
}

/** No space after the colon, and the rest in a variable: some clients cut arguments at spaces. */
export function remoted(target: Target): object {
  const { protocol, hostname } = new URL(target.url)
  const plain = protocol === 'http:' && !/^(localhost|127\.|\[::1\])/.test(hostname)
  const args = ['-y', 'mcp-remote', target.url, '--header', 'Authorization:${AUTH_HEADER}']
  return { command: 'npx', args: plain ? [...args, '--allow-http'] : args, env: { AUTH_HEADER: bearer(target) } }
}
