import { expect, it } from 'vitest'
import { idIn } from '../../src/cli/bridge/message.ts'

it.each([
  ['{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"te', 'xx"}}', 7],
  ['{"id":"a\\"b","params":{', '}}', 'a"b'],
  ['{"method":"tools/call","params":{"id":3,"text":"xxx', 'xxx"},"id":9}', 9],
  ['{"method":"tools/call","params":{"id":3,"text":"xxx', 'xxx","id":4}}', null],
  ['[{"id":1,"params":{"text":"xxx', 'xxx"}}]', null],
])('reads the id of a message from its ends: %s … %s', (start, end, id) => {
  expect(idIn(start, end)).toBe(id)
})
