import { createInstrumenter } from 'istanbul-lib-instrument'
import { mergeConfig, type Plugin } from 'vitest/config'
import usual from '../../vitest.config.ts'
import { DECIDING } from './deciding.ts'

const instrumenter = createInstrumenter({ esModules: true, compact: false, produceSourceMap: true })

/** Vitest's own coverage needs Node's inspector, which Bun has not. */
const counting: Plugin = {
  name: 'counting',
  enforce: 'post',
  transform(code, id) {
    if (!DECIDING.test(id)) return null
    const counted = instrumenter.instrumentSync(code, id, this.getCombinedSourcemap() as never)
    return { code: counted, map: instrumenter.lastSourceMap() as never }
  },
}

export default mergeConfig(usual, { plugins: [counting], test: { setupFiles: ['test/coverage/leave.ts'] } })
