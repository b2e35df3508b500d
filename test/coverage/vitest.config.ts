import { mergeConfig, type Plugin } from 'vitest/config'
import usual from '../../vitest.config.ts'
import { DECIDING } from './deciding.ts'
import { instrumenter } from './tools.ts'

const tool = await instrumenter()

/** Vitest's own coverage needs Node's inspector, which Bun has not. */
const counting: Plugin = {
  name: 'counting',
  enforce: 'post',
  transform(code, id) {
    if (!DECIDING.test(id)) return null
    const counted = tool.instrumentSync(code, id, this.getCombinedSourcemap())
    return { code: counted, map: tool.lastSourceMap() as never }
  },
}

export default mergeConfig(usual, { plugins: [counting], test: { setupFiles: ['test/coverage/leave.ts'] } })
