import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { start } from '../support/start.ts'
import { watched } from './watched.ts'

/** One browser for a file's tests; whatever a page complains about, and no test took out, fails the test. */
export function browserOfAna(options: BrowserContextOptions = {}) {
  let browser: Browser
  let opened: { page: Page; complaints: string[] } | null = null
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())
  afterEach(async () => {
    await opened?.page.context().close()
    expect(opened?.complaints ?? []).toEqual([])
    opened = null
  })

  /** The program, and the owner signed in. `loads` grows with each page that is loaded anew. */
  return async function ana(more: BrowserContextOptions = {}) {
    const started = await start()
    const [name, value] = (await started.cookieOf(started.owner)).split('=')
    const context = await browser.newContext({ ...options, ...more })
    await context.addCookies([{ name: name!, value: value!, url: started.origin }])
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    const complaints = watched(page)
    const loads: string[] = []
    page.on('request', (request) => request.isNavigationRequest() && loads.push(request.url()))
    opened = { page, complaints }
    return { started, page, complaints, loads, go: (path: string) => page.goto(started.origin + path) }
  }
}
