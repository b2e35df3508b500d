import type { Library } from '../docs.ts'
import type { Store } from '../store.ts'

export type KeptLibrary = Library & {
  /** Looks whether repos came, changed or went, whoever changed them: this process or a command beside it. */
  look(): Promise<void>
}

/** The library as of this moment: nobody asks it before it knows the repos there are now. */
export function inStep(store: Pick<Store, 'version' | 'repos'>, library: Library): KeptLibrary {
  let seen: number | null = null
  let looking: Promise<void> = Promise.resolve()

  function look(): Promise<void> {
    const version = store.version()
    if (version === seen) return looking
    seen = version
    looking = looking.catch(() => {}).then(async () => library.keep(await store.repos.all()))
    looking.catch(() => {
      seen = null // it could not be read; the next look tries again
    })
    return looking
  }

  const after =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await look()
      return act(...args)
    }

  return {
    look,
    keep: library.keep,
    state: after(library.state),
    search: after(library.search),
    read: after(library.read),
    list: after(library.list),
    putFile: after(library.putFile),
    putZip: after(library.putZip),
    removeFile: after(library.removeFile),
    refresh: after(library.refresh),
    onChange: library.onChange,
    close: library.close,
  }
}
