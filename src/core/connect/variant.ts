export type Kind = 'command' | 'link' | 'file' | 'url' | 'code'

/** One way to tell a client: what to paste, and where. */
export type Told = { title: string; content: string; path?: string; note?: string }

/** `opens`: a link that opens the client, or its form, and is not only pasted. */
export type Variant = Told & { opens?: true }

/** Where a client is to go, under which name, and with which key. */
export type Target = {
  /** What the client will call the server. */
  name: string
  url: string
  key: string
  /** The environment variable that may hold the key. */
  variable: string
}

export type Client = {
  label: string
  kind: Kind
  /** Sends its key in the URL, and (but for `orLocal`) in no other way. */
  keyInUrl?: true
  /** Can also start a program beside it, which sends the key in a header from where the client runs. */
  orLocal?: true
  variants(target: Target): Variant[]
}

export function bearer({ key }: Pick<Target, 'key'>): string {
  return `Bearer ${key}`
}

/** The address for clients that know no headers. */
export function urlWithKey({ url, key }: Target): string {
  return `${url}?api_key=${encodeURIComponent(key)}`
}

export function holdsKeyInUrl({ content }: Told): boolean {
  return /api_key(=|%3D)/.test(content)
}

export function pretty(value: object): string {
  return JSON.stringify(value, null, 2)
}

/** The member has the server's name, whatever that is: `__proto__` too. */
export function named(name: string, server: object): object {
  return Object.fromEntries([[name, server]])
}

export function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}
