import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { browserOfAna } from './signed-in.ts'

const ana = browserOfAna()
const KEYS = '/admin/w/main/keys'

const focused = (page: Page) => page.evaluate('document.activeElement.textContent.trim()')
const said = (page: Page) => page.locator('#announce').textContent()

it('sorts in place, and searches in the same order', async () => {
  const { started, page, go, loads } = await ana()
  for (const name of ['tall beech', 'ash', 'wide beech']) await started.key({ name })
  await go(KEYS)
  const names = () => page.locator('tbody .cell-name').allTextContents()
  await page.getByRole('link', { name: 'Key', exact: true }).click()
  await expect.poll(names, { timeout: 10_000 }).toEqual(['ash', 'tall beech', 'wide beech'])
  expect(await focused(page)).toBe('Key')
  expect(await page.getByRole('columnheader', { name: 'Key' }).getAttribute('aria-sort')).toBe('ascending')
  await page.keyboard.press('Enter')
  await expect.poll(names, { timeout: 10_000 }).toEqual(['wide beech', 'tall beech', 'ash'])
  expect(new URL(page.url()).searchParams.get('sort')).toBe('name-back')
  await page.getByRole('searchbox').pressSequentially('beech')
  await expect.poll(names, { timeout: 10_000 }).toEqual(['wide beech', 'tall beech'])
  expect(await page.getByRole('searchbox').inputValue()).toBe('beech')
  await expect.poll(() => said(page), { timeout: 10_000 }).toBe('2 keys found.')
  expect(loads).toHaveLength(1)
})

it('sorts on a phone, where rows are cards', async () => {
  const { started, page, go } = await ana({ viewport: { width: 390, height: 800 } })
  for (const name of ['beech', 'ash']) await started.key({ name })
  await go(KEYS)
  await page.getByLabel('Order').selectOption('Name, A to Z')
  await expect
    .poll(() => page.locator('tbody .cell-name').allTextContents(), { timeout: 10_000 })
    .toEqual(['ash', 'beech'])
})
