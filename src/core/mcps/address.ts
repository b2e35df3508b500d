/** Some servers take their key in the address: what may be seen of it, by anybody and in the database. */
export function withoutSecretsIn(text: string): string {
  const url = URL.parse(text)
  if (!url) return text
  const path = url.pathname.split('/').map(withoutSecret).join('/')
  const names = [...url.searchParams.keys()].map((name) => `${encodeURIComponent(name)}=…`)
  const safe = `${url.origin}${path}${names.length > 0 ? `?${names.join('&')}` : ''}`
  return names.length > 0 || path !== url.pathname ? safe : text
}

/** Long, and letters among digits: made to be guessed by nobody. */
function withoutSecret(segment: string): string {
  return segment.length >= 20 && /\d/.test(segment) && /[A-Za-z]/.test(segment) && /^[\w.~-]+$/.test(segment)
    ? '…'
    : segment
}
