import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import packed from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const root = join(import.meta.dirname, '../..')
const cache = join(root, 'node_modules/.cache')
const { version } = JSON.parse(readFileSync(join(root, 'node_modules/@sparticuz/chromium/package.json'), 'utf8'))
const home = join(cache, `chromium-${version}`)

/** Left out: what would hide a page's mistakes (same-origin policy, mixed content), and one process for all, which falls as one. */
const unwanted = [
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--single-process',
  "--headless='shell'",
]

/** A headless browser that comes from npm alone. The caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  await unpacked()
  return chromium.launch({
    executablePath: join(home, 'chromium'),
    args: packed.args.filter((flag) => !unwanted.includes(flag)),
    headless: true,
    env: {
      ...(process.env as Record<string, string>),
      LD_LIBRARY_PATH: join(home, 'al2023/lib'),
      FONTCONFIG_FILE: process.env.CLAVIGER_TEST_FONTS ?? (await fontList()),
    },
  })
}

/**
 * The package's own list names folders of Lambda; without a single font the browser falls over its first letter. One
 * that names another place than this is left over from before the checkout was moved.
 */
async function fontList(): Promise<string> {
  const file = join(home, 'fonts.conf')
  if (existsSync(file) && readFileSync(file, 'utf8').includes(`<dir>${home}/fonts</dir>`)) return file
  const aside = join(await mkdtemp(`${home}-fonts-`), 'fonts.conf')
  await writeFile(
    aside,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${home}/fonts</dir><cachedir>${home}/fonts-cache</cachedir></fontconfig>
`,
  )
  await rename(aside, file)
  await rm(dirname(aside), { recursive: true })
  return file
}

/** Many threads may ask at once: one unpacks aside and moves the finished folder into place, the others wait for it. */
async function unpacked(): Promise<void> {
  await mkdir(cache, { recursive: true })
  const lock = `${home}.lock`
  while (!existsSync(home)) {
    try {
      await mkdir(lock)
    } catch {
      await sleep(100)
      if (await isAbandoned(lock)) await rm(lock, { recursive: true, force: true })
      continue
    }
    try {
      if (!existsSync(home)) await unpack()
    } finally {
      await rm(lock, { recursive: true, force: true })
    }
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const made = await stat(lock).catch(() => null)
  return made !== null && Date.now() - made.mtimeMs > 60_000
}

async function unpack(): Promise<void> {
  const aside = await mkdtemp(`${home}-`)
  try {
    // The package unpacks into the temporary directory of its process, so it gets a process of its own. Told that
    // it runs on Lambda, it brings along the libraries it needs; the system may have none.
    const script = "import('@sparticuz/chromium').then((chromium) => chromium.default.executablePath())"
    const env = { ...process.env, TMPDIR: aside, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' }
    await promisify(execFile)(process.execPath, ['-e', script], { cwd: root, env })
    await rename(aside, home)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    if (!existsSync(home)) throw error
  }
}
