import { expect, test } from '@jest/globals';
import { JsonField } from './json-field.ts';

const file = new JsonField({ name: 'a', list: [1, { deep: true }], none: null, kind: 'x' });

test('reads what is there', () => {
  expect(file.at('name').name()).toBe('a');
  expect(file.at('list').items()[0]!.integer(1, 1)).toBe(1);
  expect(file.at('list').items()[1]!.at('deep').boolean()).toBe(true);
  expect([file.at('none').isGiven, file.at('gone').isGiven, file.at('kind').isGiven]).toEqual([
    false,
    false,
    true,
  ]);
  expect(file.at('gone').optional((field) => field.text())).toBeUndefined();
  expect(file.at('kind').oneOf('w', 'x')).toBe('x');
});

test('tells what is wrong by its path', () => {
  const check = (read: () => unknown, want: string): void => expect(read).toThrow(want);
  check(() => new JsonField([]).at('x'), 'top level: want an object');
  check(() => file.at('gone').text(), 'gone: want a string');
  check(() => file.at('list').items()[1]!.at('deep').number(), 'list.1.deep: want a number');
  check(() => file.at('list').items()[0]!.integer(2, 3), 'list.0: want an integer of 2 to 3');
  check(() => file.at('name').items(), 'name: want a list');
  check(() => file.at('kind').oneOf('a', 'b'), 'kind: want one of a, b');
  check(() => file.only('name', 'list'), 'none: unknown key; kind: unknown key');
  check(() => new JsonField('').name(), 'top level: want a string that is not empty');
  check(() => new JsonField(0).boolean(), 'top level: want true or false');
});
