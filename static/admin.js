// Loaded in the head and not deferred, so that a chosen theme is there before the first paint.
// Everything listens on the document: what htmx brings later needs no wiring. Each page works without this file.
;(() => {
  const root = document.documentElement
  root.dataset.scripted = ''

  function storedTheme() {
    try {
      return localStorage.getItem('theme')
    } catch {
      return null // storage may be forbidden
    }
  }

  function showTheme(theme) {
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    else delete root.dataset.theme
    for (const button of document.querySelectorAll('[data-theme-set]'))
      button.setAttribute('aria-pressed', String(button.dataset.themeSet === (root.dataset.theme ?? 'auto')))
  }

  function chooseTheme(theme) {
    try {
      localStorage.setItem('theme', theme)
    } catch {}
    showTheme(theme)
  }

  function announce(text) {
    const place = document.querySelector('dialog[open] > [role="status"]') ?? document.getElementById('announce')
    if (place) place.textContent = text
  }

  async function copy(source) {
    const text = source.dataset.copy
    const label = source.matches('button') ? source.querySelector('span') : null
    try {
      await putOnClipboard(text)
    } catch {
      announce('Your browser refused to copy. Select the text and copy it yourself.')
      return
    }
    announce('Copied.')
    if ('copied' in source.dataset) return
    const before = label?.textContent
    source.dataset.copied = ''
    if (label) label.textContent = 'Copied'
    setTimeout(() => {
      delete source.dataset.copied
      if (label) label.textContent = before
    }, 1600)
  }

  /** Over plain http on another host there is no navigator.clipboard. */
  async function putOnClipboard(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text)
    const field = document.createElement('textarea')
    field.value = text
    field.className = 'unseen'
    const home = document.querySelector('dialog[open]') ?? document.body
    const focused = document.activeElement
    home.append(field)
    field.select()
    const done = document.execCommand('copy')
    field.remove()
    focused?.focus()
    if (!done) throw new Error('not copied')
  }

  function reveal(button) {
    const input = document.getElementById(button.dataset.reveal)
    const shown = input.type === 'text'
    input.type = shown ? 'password' : 'text'
    button.textContent = shown ? 'Show' : 'Hide'
    button.setAttribute('aria-pressed', String(!shown))
  }

  /** A key on the screen that nobody has said to have stored yet. */
  function unkept(within) {
    return within.querySelector('[data-guard] [data-kept]:not(:checked)')
  }

  /** A key filled in for a client, that was neither copied nor opened there, and that nobody has come with yet. */
  function untaken() {
    return document.querySelector('[data-untaken]:not(:has(.signal-green))')
  }

  function take(within) {
    delete within?.dataset.untaken
  }

  function closeDialog(dialog) {
    const question = unkept(dialog)
    if (question) return question.reportValidity()
    dialog.close()
  }

  /** What the dialog was opened from; inside a menu, which is shut by then, the menu itself. */
  let opener = null

  function leaveDialog() {
    document.getElementById('dialog-body').replaceChildren()
    const back = opener?.closest('details.menu')?.querySelector('summary') ?? opener
    opener = null
    back?.focus()
  }

  document.addEventListener('click', (event) => {
    const of = (selector) => event.target.closest(selector)
    if (of('[data-copy], a[rel="noreferrer"]')) take(of('[data-untaken]'))
    const copied = of('[data-copy]')
    if (copied) return copy(copied)
    const theme = of('[data-theme-set]')
    if (theme) return chooseTheme(theme.dataset.themeSet)
    const dismissed = of('[data-dismiss]')
    if (dismissed) return dismissed.closest('.notice').remove()
    const revealed = of('[data-reveal]')
    if (revealed) return reveal(revealed)
    const opener = of('[data-dialog-open]')
    const opened = opener && document.getElementById(opener.dataset.dialogOpen)
    if (opened) {
      event.preventDefault()
      return opened.showModal()
    }
    const closing = of('[data-dialog-close]')
    const dialog = closing?.closest('dialog')
    if (dialog) {
      event.preventDefault()
      return closeDialog(dialog)
    }
    for (const menu of document.querySelectorAll('details.menu[open]'))
      if (menu !== of('details.menu') || of('.menu-item')) menu.open = false
  })

  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return
    const menu = document.activeElement?.closest('details.menu[open]') ?? document.querySelector('details.menu[open]')
    if (!menu) return
    menu.open = false
    menu.querySelector('summary').focus()
  })

  // A browser lets Escape close a dialog on the second stroke whatever the page says. Close does not bubble.
  document.addEventListener(
    'close',
    ({ target: dialog }) => {
      if (dialog.id !== 'dialog') return
      const question = unkept(dialog)
      if (!question) return leaveDialog()
      dialog.showModal()
      question.reportValidity()
    },
    true,
  )

  window.addEventListener('beforeunload', (event) => {
    if (unkept(document) || untaken()) event.preventDefault()
  })

  document.addEventListener('copy', ({ target }) => take(target.closest?.('[data-untaken]')))

  // A form sent twice is a key issued twice.
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (form.method !== 'post' || event.defaultPrevented) return
    if ('sent' in form.dataset) event.preventDefault()
    form.dataset.sent = ''
  })
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent
  })

  // A dialog is a page's piece that htmx put into #dialog-body; where that fails, the link leads to the page itself.
  document.addEventListener('htmx:after:swap', (event) => {
    const { target, sourceElement } = event.detail.ctx ?? {}
    for (const news of document.querySelectorAll('[data-announce]')) {
      announce(news.textContent)
      delete news.dataset.announce
    }
    const dialog = document.getElementById('dialog')
    if (dialog?.open && (target === '#flash' || target?.id === 'flash')) return closeDialog(dialog)
    if (dialog?.open && target?.matches?.('.piece')) dialog.scrollTop = 0
    if (dialog && !dialog.open && document.getElementById('dialog-body').childElementCount) {
      opener = sourceElement
      dialog.showModal()
      dialog.querySelector('[autofocus]')?.focus()
    }
  })
  document.addEventListener('htmx:error', (event) => {
    const source = event.detail?.ctx?.sourceElement
    if (source?.matches('a[href]')) location.assign(source.href)
  })

  showTheme(storedTheme())
  document.addEventListener('DOMContentLoaded', () => {
    showTheme(storedTheme())
    const current = document.querySelector('.rail-nav [aria-current]')
    if (current) current.parentElement.scrollLeft = current.offsetLeft - current.parentElement.offsetWidth / 2
  })
})()
