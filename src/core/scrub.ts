const SECRET = '[secret]'

/** Up to where a value reaches in a URL, a header, JSON (also JSON within JSON) or a sentence. */
const VALUE = `[^\\s"'\\\\&;,#\\x1b]+`
/** Between a name and its value, quoted or not. */
const SIGN = `["'\\\\]*\\s{0,9}[=:]\\s{0,9}["'\\\\]*`

const SECRETS: [RegExp, string][] = [
  // a key of any brand, whatever letters it is glued to: its hint stays
  [/([a-z][a-z0-9]{0,15}_(?:live|test)_[0-9A-Za-z]{8})[0-9A-Za-z]{8,}([0-9A-Za-z]{4})/g, '$1…$2'],
  [/clv_(setup|session|invite)_[0-9a-f]{16,}/g, `clv_$1_${SECRET}`],
  [/\b(Bearer|ApiKey|Basic)\s+(["'\\]*)[^\s"'\\,]+/gi, `$1 $2${SECRET}`],
  [
    new RegExp(`((?:authorization|cookie)${SIGN})(?!(?:Bearer|ApiKey|Basic)\\b)[^"'\\\\\\r\\n\\x1b]+`, 'gi'),
    `$1${SECRET}`,
  ],
  [new RegExp(`(api[-_]?key${SIGN})${VALUE}`, 'gi'), `$1${SECRET}`],
  [new RegExp(`([?&;#](?:[a-z]{1,20}[-_])?(?:token|secret|password|key)=)${VALUE}`, 'gi'), `$1${SECRET}`],
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'\\]*@/gi, `$1${SECRET}@`],
]

/** What looks like a secret is cut out of any text that leaves for a log or a terminal, in whatever encoding it hides. */
export function scrub(text: string): string {
  const plain = cut(text)
  return plain.includes('%') ? plain.replace(/[^\s"'\\&;,?#]+/g, unescapedToo) : plain
}

function cut(text: string): string {
  for (const [pattern, replacement] of SECRETS) text = text.replace(pattern, replacement)
  return text
}

/** What only shows once it is decoded goes as a whole: decoded, it might break out of its line. */
function unescapedToo(run: string): string {
  let text = run
  for (let layer = 0; layer < 3 && text.includes('%'); layer++) {
    text = decoded(text)
    if (cut(`?${text}`) !== `?${text}`) return SECRET
  }
  return run
}

function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes.replace(/%([0-7][0-9a-f])/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    }
  })
}

/** Keys and one-time tokens alone, for sentences that speak of headers themselves. */
export function withoutKeys(text: string): string {
  for (const [pattern, replacement] of SECRETS.slice(0, 2)) text = text.replace(pattern, replacement)
  return text
}
