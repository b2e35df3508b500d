import type { OpenWire, Wire } from './wire.ts'

export type Wires = {
  /** The same wire, remembered until it has ended. */
  kept(open: OpenWire): OpenWire
  closeAll(): Promise<void>
}

/** Every wire that was opened, also for a handshake that was given up: none outlives us. */
export function wiresOf(): Wires {
  const wires = new Set<Promise<Wire>>()

  return {
    kept(open) {
      return async (events, stop) => {
        const ended = async () => {
          await (await opening).close()
          wires.delete(opening)
        }
        const opening: Promise<Wire> = open(
          {
            ...events,
            closed(failure) {
              events.closed(failure)
              queueMicrotask(() => ended().catch(() => {})) // it may have ended while it was being opened
            },
          },
          stop,
        )
        wires.add(opening)
        opening.catch(() => wires.delete(opening))
        return opening
      }
    },
    async closeAll() {
      await Promise.allSettled([...wires].map(async (opening) => (await opening).close()))
    },
  }
}
