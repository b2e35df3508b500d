const PRIVATE_NAME = /(^|\.)(localhost|local|internal|lan|home|corp|test|invalid|example|intranet|home\.arpa)$/i
const PRIVATE_ADDRESS =
  /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|^\[(::1?|f[cd]|fe[89ab])/i

/** Why a service on the internet cannot come to this address; null if nothing speaks against it. */
export function whyOutOfReach(origin: string): string | null {
  const { protocol, hostname } = new URL(origin)
  const address = /^[\d.]+$/.test(hostname) || hostname.startsWith('[')
  const inside = address
    ? PRIVATE_ADDRESS.test(hostname)
    : PRIVATE_NAME.test(hostname) || !hostname.replace(/\.$/, '').includes('.')
  if (inside) return `${origin} can be reached from this machine or its network alone, not from the internet.`
  if (protocol !== 'https:') return `${origin} is not https: the key would travel readable for everybody on the way.`
  return null
}

/** Ways to an address that such services can use. */
export function waysOutside(origin: string): { title: string; content: string; note?: string }[] {
  return [
    {
      title: 'A tunnel, in a minute',
      content: `cloudflared tunnel --url ${origin}`,
      note: 'It prints an https address; tailscale funnel and ngrok do the same.',
    },
    {
      title: 'A reverse proxy with a certificate, such as Caddy',
      content: `keys.example.com {\n  reverse_proxy ${new URL(origin).host}\n}`,
    },
    {
      title: 'Then tell Claviger its address, and start it again',
      content: 'CLAVIGER_PUBLIC_URL=https://keys.example.com',
      note: 'Behind a proxy also CLAVIGER_TRUSTED_PROXIES, with the proxy’s address.',
    },
  ]
}

/** Proxies write whole URLs to their logs unless told otherwise. */
export const UNLOGGED = [
  {
    title: 'nginx',
    content: `# in http { }: the path without what follows the question mark
log_format without_query '$remote_addr [$time_local] "$request_method $uri" $status $body_bytes_sent';

# in the server { } that leads to Claviger
access_log /var/log/nginx/claviger.log without_query;
error_log /var/log/nginx/claviger.error.log crit;`,
  },
  {
    title: 'Caddy',
    content: `log {
  format filter {
    request>uri query {
      replace api_key REDACTED
    }
  }
}`,
  },
] as const
